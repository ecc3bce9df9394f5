"""Reads to per-base coverage: alignment, alignments as arrays, multi-mapped reads, GC bias, towers, coverage, quality.

May import `tracks`, `genome`, `engine`, `settings` and `errors`; knows nothing of windows, models or pages.
"""

from regact.reads.aligner import AlignedSample, align_reads
from regact.reads.alignments import Alignments, count_places, read_bam
from regact.reads.cohort import CohortCoverage, cover_samples
from regact.reads.coverage import coverage_intervals, write_coverage
from regact.reads.fates import Fates
from regact.reads.fragment_length import FragmentLength, estimate_fragment_bp
from regact.reads.layout import GenomeLayout
from regact.reads.multimap import Placement, place_reads
from regact.reads.presets import PRESETS, CoverageSettings, coverage_settings
from regact.reads.read_places import ReadPlaces
from regact.reads.sample import cover_sample
from regact.reads.sample_outputs import SampleCoverage
from regact.reads.sample_sheet import SheetRow, read_sample_sheet
from regact.reads.sharing import share_reads

__all__ = [
    "PRESETS",
    "AlignedSample",
    "Alignments",
    "CohortCoverage",
    "CoverageSettings",
    "Fates",
    "FragmentLength",
    "GenomeLayout",
    "Placement",
    "ReadPlaces",
    "SampleCoverage",
    "SheetRow",
    "align_reads",
    "count_places",
    "cover_sample",
    "cover_samples",
    "coverage_intervals",
    "coverage_settings",
    "estimate_fragment_bp",
    "place_reads",
    "read_bam",
    "read_sample_sheet",
    "share_reads",
    "write_coverage",
]
