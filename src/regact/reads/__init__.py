"""Reads to per-base coverage: alignment, alignments as arrays, multi-mapped reads, GC bias, towers, coverage, quality.

May import `tracks`, `genome`, `engine`, `settings` and `errors`; knows nothing of windows, models or pages. The order
of its own folders stands in docs/architecture.md.
"""

from regact.reads.alignments import Alignments
from regact.reads.bowtie2 import AlignedSample, align_reads
from regact.reads.coverage import coverage_intervals, write_coverage
from regact.reads.layout import GenomeLayout
from regact.reads.multimap import Placement, place_reads, share_reads
from regact.reads.presets import PLACES, PRESETS, CoverageSettings, coverage_settings
from regact.reads.samples import (
    CohortCoverage,
    SampleCoverage,
    SheetRow,
    cover_sample,
    cover_samples,
    read_sample_sheet,
)
from regact.reads.sources import (
    Fates,
    FragmentLength,
    ReadPlaces,
    count_places,
    estimate_fragment_bp,
    read_bam,
)

__all__ = [
    "PLACES",
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
