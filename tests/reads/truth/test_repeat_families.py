"""Bins of repeats, by hand."""

from regact.genome import Interval
from regact.genome.bed import BedRow
from regact.reads import GenomeLayout
from regact.reads.genome_bins import GenomeBins
from regact.reads.truth.repeat_families import families_of_bins

BINS = GenomeBins(GenomeLayout.from_lengths({"a": 37, "short": 9, "b": 20}), 10)


def test_families_have_the_bins_that_one_copy_covers_whole():
    copies = [("a", 0, 20, "x"), ("a", 25, 37, "y"), ("b", 0, 12, "y"), ("b", 9, 20, "x"), ("short", 0, 9, "z")]
    rows = [BedRow(Interval(chrom, start, end), name) for chrom, start, end, name in copies]
    # The copy of y in a begins within its bin; both bins of b are touched by two copies.
    assert families_of_bins(BINS, rows).tolist() == [0, 0, -1, -1, -1]
    assert families_of_bins(BINS, rows[:3]).tolist() == [0, 0, -1, 1, -1]
