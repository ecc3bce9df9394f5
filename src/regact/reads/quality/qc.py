"""The quality of one sample in numbers: what became of its reads and what was made of them, as one JSON row."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from regact.reads.sources.fragment_length import LengthSource


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EmQuality(_Part):
    """How reads with several places were shared out (`multimap.Placement`)."""

    reads: int
    change: tuple[float, ...]
    log_likelihood: tuple[float, ...]
    tolerance: float
    converged: bool


class FragmentQuality(_Part):
    """The length of fragments (`fragment_length.ChosenLength`), and the curve that it is from.

    Attributes:
        told_by: Pairs, the strands, the settings, or nothing: an assumption.
        length_bp, value: Pairs by length where these tell; else the correlation of the strands' 5' ends by distance,
            and nothing where it was not asked for, or reads are too few.
        chosen_bp: The length that was used; of pairs their median.
    """

    told_by: LengthSource
    length_bp: tuple[int, ...]
    value: tuple[float, ...]
    chosen_bp: int


class GcFit(_Part):
    """The rate of fragments by the GC of their own bases, and the curve through it (`gc_bias.fit.GcModel`).

    Attributes:
        gc: Share of G and C; bins that no fragment could have are left out.
        bases: Bases at which a fragment could have it.
        rate: Fragments a base, over the mean of all windows.
        curve: The fitted rate.
        windows: Windows that the fit rests on.
        left_out: Windows that it does not, by reason.
    """

    gc: tuple[float, ...]
    bases: tuple[int, ...]
    rate: tuple[float, ...]
    curve: tuple[float, ...]
    windows: int
    left_out: dict[str, int]


class GcQuality(_Part):
    """Coverage against GC in windows of `window_bp` without N (`gc_profile.GcProfile`).

    Attributes:
        gc: Mean GC of groups of windows, those with few windows left out.
        windows: Windows of each group.
        before, after: Mean coverage of each group over that of all windows, before and after correction.
        correlation_before, correlation_after: Pearson correlation of coverage and GC over all windows.
        fit: What the correction rests on; None without one.
    """

    window_bp: int
    gc: tuple[float, ...]
    windows: tuple[int, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]
    correlation_before: float | None
    correlation_after: float | None
    fit: GcFit | None = None


class CoverageQuality(_Part):
    """Bases by their coverage (`coverage_histogram.CoverageHistogram`)."""

    edges: tuple[float, ...]
    bases: tuple[int, ...]
    uncovered: int
    total: float
    maximum: float
    covered_share: float


class ClipQuality(_Part):
    """What towers lost: bases that were cut to their limit, and the reads that were taken from them."""

    ceiling: int
    bases: int
    reads: float


class CellsQuality(_Part):
    """Cells of a fragment file (`fragment_file.CellCounts`)."""

    found: int
    listed: int | None
    ungrouped_fragments: int


class LibraryQuality(_Part):
    """Repeated reads (`library.LibraryComplexity`)."""

    told_by: Literal["flags", "fragments", "five_primes"]
    examined: int
    distinct: int
    distinct_share: float
    pbc1: float | None
    pbc2: float | None
    one_place_molecules: float | None
    molecules: float | None


class ReadsQc(_Part):
    """All that is known of a sample's quality; as JSON it is one row.

    Attributes:
        records: Records of the file, and how many of them are secondary (further places) and supplementary (further
            parts of a split alignment, passed over); empty for fragment files.
        fates: Reads by fate; they add up to all reads of the file.
        places: Reads with 1, 2, .. places; the last entry holds those with more.
        place_limit: Places of a read that the aligner gave at most (-k); None where the file does not say.
    """

    sample: str
    assay: str
    source: str
    genome: str
    settings: dict[str, Any]
    records: dict[str, int] = {}
    fates: dict[str, int]
    places: tuple[int, ...]
    place_limit: int | None = None
    cells: CellsQuality | None = None
    em: EmQuality | None
    clip: ClipQuality | None = None
    fragment: FragmentQuality | None
    gc: GcQuality | None
    coverage: CoverageQuality
    library: LibraryQuality

    @property
    def reads(self) -> int:
        """All reads of the file."""
        return sum(self.fates.values())

    @property
    def reads_at_limit(self) -> int | None:
        """Reads with as many places as the aligner gave at most: some of them have more; None where it is not known."""
        if self.place_limit is None or self.place_limit >= len(self.places):
            return None
        return self.places[self.place_limit - 1]

    def row(self) -> dict[str, object]:
        """The numbers without curves and settings: one row of the table of many samples."""
        counted = self.fates["unique"] + self.fates["multi"]
        gc = self.gc
        return {
            "sample": self.sample,
            "assay": self.assay,
            "reads": self.reads,
            "counted": counted,
            "counted_share": counted / max(self.reads, 1),
            **self.fates,
            "supplementary_records": self.records.get("supplementary", 0),
            "place_limit": self.place_limit,
            "reads_at_place_limit": self.reads_at_limit,
            "cells": self.cells.found if self.cells else None,
            "cells_listed": self.cells.listed if self.cells else None,
            "ungrouped_fragments": self.cells.ungrouped_fragments if self.cells else None,
            "em_rounds": len(self.em.change) if self.em else 0,
            "em_converged": self.em.converged if self.em else None,
            "reads_cut_from_towers": self.clip.reads if self.clip else None,
            "fragment_bp": self.fragment.chosen_bp if self.fragment else None,
            "fragment_told_by": self.fragment.told_by if self.fragment else None,
            "gc_correlation_before": gc.correlation_before if gc else None,
            "gc_correlation_after": gc.correlation_after if gc and gc.fit else None,
            "covered_share": self.coverage.covered_share,
            "total_coverage": self.coverage.total,
            "highest_coverage": self.coverage.maximum,
            "duplicates_told_by": self.library.told_by,
            "distinct_share": self.library.distinct_share,
            "pbc1": self.library.pbc1,
            "pbc2": self.library.pbc2,
            "library_molecules": self.library.molecules,
        }
