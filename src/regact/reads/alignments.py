"""Alignments as arrays: where reads may have come from, and which base of each place is counted."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int8, Int16, Int32, Int64

# Shares of reads are multiples of 2^-24: as float32 they are exact, a read's add up to 1 exactly, and so does any sum
# of up to 2^29 reads in float64, in whatever order.
SHARES_IN_ONE = 2**24


@dataclass(frozen=True)
class Alignments:
    """Places of reads, one entry per place, those of a read side by side.

    Attributes:
        offsets: Places of read i are [offsets[i], offsets[i + 1]).
        place: Genome-wide coordinate of the counted base: 5' end (shifted), or centre of the fragment.
        start: Genome-wide start of the fragment; a pair's outer ends, a single-end read's own extent or its extension.
        length: Bases of the fragment, cut off at the contig's ends.
        strand: +1 or -1, of read 1; of each mate its own where mates count by themselves.
        differences: Bases by which the read, with its mate, differs from the genome there; -1 where the aligner is
            silent.
        extended: Where `length` is the sample's and not the fragment's own, as of single-end reads; None for nowhere.
    """

    offsets: Int64[np.ndarray, "read+1"]
    place: Int64[np.ndarray, "alignment"]
    start: Int64[np.ndarray, "alignment"]
    length: Int32[np.ndarray, "alignment"]
    strand: Int8[np.ndarray, "alignment"]
    differences: Int16[np.ndarray, "alignment"] | None = None
    extended: Bool[np.ndarray, "alignment"] | None = None

    def __len__(self) -> int:
        return len(self.place)

    @property
    def n_reads(self) -> int:
        """Reads that the places belong to."""
        return len(self.offsets) - 1

    def likelihood(self, error_rate: float) -> Float32[np.ndarray, "alignment"] | None:
        """How probable each read is from its places, by its differences from the genome there; its best place has 1.

        Every difference more than at the best place makes a place `error_rate` times as probable. None where the
        aligner says nothing, or `error_rate` is 1; reads of which one place has no number have 1 everywhere.
        """
        if self.differences is None or error_rate == 1 or not len(self) or (self.differences < 0).all():
            return None
        sizes = np.diff(self.offsets)
        fewest = np.minimum.reduceat(self.differences, self.offsets[:-1])
        more = self.differences - np.repeat(fewest, sizes)
        more[np.repeat(fewest < 0, sizes)] = 0
        return np.float32(error_rate) ** more.astype(np.float32)
