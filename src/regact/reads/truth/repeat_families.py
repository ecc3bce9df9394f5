"""Which bins of a genome belong to which family of repeats."""

import math
from collections.abc import Iterable

import numpy as np
from jaxtyping import Int64

from regact.genome.bed import BedRow
from regact.reads.genome_bins import GenomeBins


def families_of_bins(bins: GenomeBins, repeats: Iterable[BedRow]) -> Int64[np.ndarray, " bin"]:
    """Number of the family (the rows' names, in order of appearance) whose copy covers each bin whole; -1 for none.

    A bin that two copies touch belongs to none: its reads are not one family's. The rows' contigs are the layout's.
    """
    family = np.full(len(bins), -1, np.int64)
    copies = np.zeros(len(bins), np.int64)
    numbers: dict[str, int] = {}
    for row in repeats:
        number = numbers.setdefault(row.name, len(numbers))
        contig = bins.layout.names.index(row.interval.chrom)
        first, last = bins.first[contig], bins.first[contig + 1]
        start, end = row.interval.start / bins.bin_bp, row.interval.end / bins.bin_bp
        copies[first + math.floor(start) : min(first + math.ceil(end), last)] += 1
        family[first + math.ceil(start) : min(first + math.floor(end), last)] = number
    return np.where(copies == 1, family, -1)
