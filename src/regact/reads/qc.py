"""The quality of one sample in numbers: what became of its reads and what was made of them, as one JSON row."""

from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float
from pydantic import BaseModel, ConfigDict

from regact.genome import Genome
from regact.reads.alignments import Alignments
from regact.reads.bam_records import OWN_LENGTH, READ2
from regact.reads.coverage import coverage_intervals
from regact.reads.coverage_histogram import coverage_histogram
from regact.reads.fragment_length import FragmentLength
from regact.reads.gc_bias import GcModel
from regact.reads.gc_profile import WINDOW_BP, GcProfile, count_by_gc
from regact.reads.layout import GenomeLayout
from regact.reads.library import library_complexity
from regact.reads.multimap import Placement
from regact.reads.presets import CoverageSettings
from regact.reads.read_places import ReadPlaces

_GC_EDGES = np.linspace(0, 1, 51)
# Groups with fewer windows say more about chance than about GC.
_LEAST_WINDOWS = 10


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
    """Pairs by length, or the correlation of the strands' 5' ends by distance; and the length that was used.

    Attributes:
        assumed: The curve has no peak, so the length used is not from it.
    """

    told_by: Literal["pairs", "cross_correlation"]
    assumed: bool = False
    length_bp: tuple[int, ...]
    value: tuple[float, ...]
    chosen_bp: int | None


class GcFit(_Part):
    """The rate of fragments by the GC of their own bases, and the curve through it (`gc_bias.GcModel`).

    Attributes:
        gc: Share of G and C; bins that no fragment could have are left out.
        bases: Bases at which a fragment could have it.
        rate: Fragments a base, over the mean of all windows.
        curve: The fitted rate.
        windows: Windows that the fit rests on.
    """

    gc: tuple[float, ...]
    bases: tuple[int, ...]
    rate: tuple[float, ...]
    curve: tuple[float, ...]
    windows: int


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
    """

    sample: str
    assay: str
    source: str
    genome: str
    settings: dict[str, Any]
    records: dict[str, int] = {}
    fates: dict[str, int]
    places: tuple[int, ...]
    em: EmQuality | None
    fragment: FragmentQuality | None
    gc: GcQuality | None
    coverage: CoverageQuality
    library: LibraryQuality

    @property
    def reads(self) -> int:
        """All reads of the file."""
        return sum(self.fates.values())

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
            "em_rounds": len(self.em.change) if self.em else 0,
            "em_converged": self.em.converged if self.em else None,
            "fragment_bp": self.fragment.chosen_bp if self.fragment else None,
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


def describe_reads(
    reads: ReadPlaces,
    alignments: Alignments,
    layout: GenomeLayout,
    genome: Genome,
    settings: CoverageSettings,
    placement: Placement,
    corrected: Float[np.ndarray, " alignment"],
    *,
    sample: str,
    source: str,
    cross_correlation: FragmentLength | None = None,
    fragment_bp: int | None = None,
    gc_model: GcModel | None = None,
) -> ReadsQc:
    """The quality of a sample from what its coverage was made of.

    Args:
        corrected: Weights that the coverage was written with, after GC correction.
        sample: Name of the sample.
        source: The file of alignments.
        cross_correlation: What the strands say of the length of fragments, where they were asked.
        fragment_bp: The length that was used for reads without one of their own.
        gc_model: What `corrected` was corrected by.
    """
    kind = reads.rows["kind"][reads.offsets[:-1]]
    # Mates that count by themselves are of one molecule: read 1 stands for it.
    first_mates = kind & READ2 == 0
    pairs = first_mates & (kind & OWN_LENGTH != 0)
    library = library_complexity(
        alignments, flagged=reads.fates.duplicate, by_fragment=bool(pairs.any()), chosen=first_mates
    )
    chunks = coverage_intervals(alignments, corrected, layout, whole_fragment=settings.count == "fragment")
    coverage = coverage_histogram(chunks, layout.total_bp)
    return ReadsQc(
        sample=sample,
        assay=settings.assay,
        source=source,
        genome=genome.name,
        settings=settings.model_dump(mode="json"),
        records=reads.tally.to_dict(),
        fates=reads.fates.to_dict(),
        places=tuple(reads.place_counts[1:].tolist()),
        em=_em_quality(placement, settings),
        fragment=_fragment_quality(alignments, pairs, cross_correlation, fragment_bp),
        gc=_gc_quality(count_by_gc(genome, layout, alignments, placement.weight, corrected), gc_model),
        coverage=CoverageQuality.model_validate(coverage, from_attributes=True),
        library=LibraryQuality.model_validate(library, from_attributes=True),
    )


def _em_quality(placement: Placement, settings: CoverageSettings) -> EmQuality | None:
    if not placement.change:
        return None
    return EmQuality(
        reads=placement.n_multimapped,
        change=placement.change,
        log_likelihood=placement.log_likelihood,
        tolerance=settings.em_tolerance,
        converged=placement.converged,
    )


def _fragment_quality(
    alignments: Alignments,
    pairs: Bool[np.ndarray, " read"],
    cross_correlation: FragmentLength | None,
    fragment_bp: int | None,
) -> FragmentQuality | None:
    if cross_correlation is not None:
        return FragmentQuality(
            told_by="cross_correlation",
            length_bp=tuple(cross_correlation.lengths.tolist()),
            value=tuple(cross_correlation.correlation.tolist()),
            chosen_bp=fragment_bp,
            assumed=cross_correlation.fragment_bp is None,
        )
    if not pairs.any():
        return None
    # Each pair once: by its first place, which others of the pair hardly differ from in length.
    lengths = alignments.length[alignments.offsets[:-1][pairs]]
    counts = np.bincount(lengths)
    first, last = int(lengths.min()), int(lengths.max())
    return FragmentQuality(
        told_by="pairs",
        length_bp=tuple(range(first, last + 1)),
        value=tuple(counts[first : last + 1].tolist()),
        chosen_bp=int(np.median(lengths)),
    )


def _gc_quality(profile: GcProfile, model: GcModel | None) -> GcQuality | None:
    if not len(profile) or profile.before.sum() == 0:
        return None
    windows, (gc, before, after) = profile.group_means(_GC_EDGES)
    enough = windows >= min(_LEAST_WINDOWS, windows.max())
    return GcQuality(
        window_bp=WINDOW_BP,
        gc=tuple(gc[enough].tolist()),
        windows=tuple(windows[enough].tolist()),
        before=tuple(before[enough].tolist()),
        after=tuple(after[enough].tolist()),
        correlation_before=profile.correlation(profile.before),
        correlation_after=profile.correlation(profile.after),
        fit=None if model is None else _gc_fit(model),
    )


def _gc_fit(model: GcModel) -> GcFit:
    possible = model.bases > 0
    return GcFit(
        gc=tuple(model.gc[possible].tolist()),
        bases=tuple(model.bases[possible].tolist()),
        rate=tuple(model.rate[possible].tolist()),
        curve=tuple(model.curve[possible].tolist()),
        windows=model.n_windows,
    )
