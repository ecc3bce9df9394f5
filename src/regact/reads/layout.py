"""The genome as one line of coordinates: a place is its contig's offset plus the position in the contig."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64


class Block(NamedTuple):
    """A stretch of one contig: the contig's number, and genome-wide start and end."""

    contig: int
    start: int
    end: int


@dataclass(frozen=True)
class GenomeLayout:
    """Contigs in the genome's order and where each begins on the one line; knows no bases.

    Attributes:
        names: Contig names.
        lengths: Bases of each contig.
    """

    names: tuple[str, ...]
    lengths: tuple[int, ...]

    @classmethod
    def from_lengths(cls, lengths: Mapping[str, int]) -> "GenomeLayout":
        """The layout of contigs in the order of `lengths`, such as `Genome.lengths`.

        Raises: ValueError without contigs.
        """
        if not lengths:
            raise ValueError("a layout needs at least one contig")
        return cls(tuple(lengths), tuple(int(length) for length in lengths.values()))

    @cached_property
    def offsets(self) -> Int64[np.ndarray, "contig+1"]:
        """Place of each contig's first base; the last entry is the genome's length."""
        return np.cumsum([0, *self.lengths], dtype=np.int64)

    @property
    def total_bp(self) -> int:
        """Bases of all contigs."""
        return int(self.offsets[-1])

    def contig_of(self, place: Int64[np.ndarray, "..."]) -> Int64[np.ndarray, "..."]:
        """Number of the contig that each place lies on; contigs without a base hold none."""
        return np.searchsorted(self.offsets, place, side="right") - 1

    def blocks(self, block_bp: int) -> Iterator[Block]:
        """The genome in order, in stretches of at most `block_bp` that do not cross contigs.

        Raises: ValueError where `block_bp` is below 1.
        """
        if block_bp < 1:
            raise ValueError(f"block_bp is {block_bp}; needed >= 1")
        for contig, (first, end) in enumerate(zip(self.offsets[:-1].tolist(), self.offsets[1:].tolist(), strict=True)):
            for start in range(first, end, block_bp):
                yield Block(contig, start, min(start + block_bp, end))
