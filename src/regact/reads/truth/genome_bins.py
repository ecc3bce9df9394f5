"""Bins of one size along all contigs, as one array: what estimates of coverage are compared in."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Float64, Int64

from regact.genome.bed import BedRow
from regact.reads.alignments import Alignments
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

    def sums(self, alignments: Alignments, weight: Float[np.ndarray, " alignment"]) -> Float64[np.ndarray, " bin"]:
        """Weights of the counted bases that lie in each bin."""
        contig = self.layout.contig_of(alignments.place)
        within = (alignments.place - self.layout.offsets[contig]) // self.bin_bp
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

    def families(self, repeats: Iterable[BedRow]) -> Int64[np.ndarray, " bin"]:
        """Number of the family (the rows' names, in order of appearance) whose copy covers each bin whole; -1 for none.

        A bin that two copies touch belongs to none: its reads are not one family's. The rows' contigs are the layout's.
        """
        family = np.full(len(self), -1, np.int64)
        copies = np.zeros(len(self), np.int64)
        numbers: dict[str, int] = {}
        for row in repeats:
            number = numbers.setdefault(row.name, len(numbers))
            contig = self.layout.names.index(row.interval.chrom)
            first, last = self.first[contig], self.first[contig + 1]
            start, end = row.interval.start / self.bin_bp, row.interval.end / self.bin_bp
            copies[first + math.floor(start) : min(first + math.ceil(end), last)] += 1
            family[first + math.ceil(start) : min(first + math.floor(end), last)] = number
        return np.where(copies == 1, family, -1)
