"""Bins of one size along all contigs, as one array: what coverage is summed up and compared in."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Float64, Int64

from regact.reads.layout import GenomeLayout
from regact.tracks import Signal


@dataclass(frozen=True)
class GenomeBins:
    """Bins of `bin_bp` along the contigs, one contig after the other; a contig's last, shorter stretch has none."""

    layout: GenomeLayout
    bin_bp: int

    @cached_property
    def first(self) -> Int64[np.ndarray, " contig+1"]:
        """Number of each contig's first bin; the last entry is the number of all."""
        return np.concatenate([[0], np.cumsum(np.array(self.layout.lengths, np.int64) // self.bin_bp)])

    def __len__(self) -> int:
        return int(self.first[-1])

    @cached_property
    def starts(self) -> Int64[np.ndarray, " bin"]:
        """Genome-wide coordinate of each bin's first base."""
        of_contig = zip(self.layout.offsets[:-1], np.diff(self.first), strict=True)
        return np.concatenate([offset + self.bin_bp * np.arange(bins, dtype=np.int64) for offset, bins in of_contig])

    def sums(
        self, places: Int64[np.ndarray, " place"], weight: Float[np.ndarray, " place"]
    ) -> Float64[np.ndarray, " bin"]:
        """Weights of the genome-wide places that lie in each bin."""
        contig = self.layout.contig_of(places)
        within = (places - self.layout.offsets[contig]) // self.bin_bp
        inside = within < np.diff(self.first)[contig]
        bins = (self.first[contig] + within)[inside]
        return np.bincount(bins, weights=weight[inside], minlength=len(self))

    def sums_of(self, signal: Signal) -> Float64[np.ndarray, " bin"]:
        """Sums of a signal's bases in each bin; its contigs have the layout's names."""
        sums = np.zeros(len(self))
        for name, first, end in zip(self.layout.names, self.first[:-1], self.first[1:], strict=True):
            if end > first:
                sums[first:end] = signal.bin_sums(name, 0, int(end - first) * self.bin_bp, self.bin_bp)
        return sums
