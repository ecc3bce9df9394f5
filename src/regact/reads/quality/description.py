"""What is to be said of a sample's quality, worked out from its reads and from the coverage that was made of them."""

import numpy as np
from jaxtyping import Bool, Float, Float32

from regact.genome import Genome
from regact.reads.alignments import Alignments
from regact.reads.coverage import coverage_intervals
from regact.reads.gc_bias.fit import GcModel
from regact.reads.gc_bias.gc_profile import WINDOW_BP, GcProfile, count_by_gc
from regact.reads.layout import GenomeLayout
from regact.reads.multimap.em import Placement
from regact.reads.presets import CoverageSettings
from regact.reads.quality.coverage_histogram import coverage_histogram
from regact.reads.quality.library import library_complexity
from regact.reads.quality.qc import (
    CellsQuality,
    ClipQuality,
    CoverageQuality,
    EmQuality,
    FragmentQuality,
    GcFit,
    GcQuality,
    LibraryQuality,
    ReadsQc,
)
from regact.reads.sources.fragment_file import CellCounts
from regact.reads.sources.fragment_length import ChosenLength
from regact.reads.sources.read_places import ReadPlaces
from regact.reads.sources.rows import OWN_LENGTH, READ2

_GC_EDGES = np.linspace(0, 1, 51)
# Groups with fewer windows say more about chance than about GC.
_LEAST_WINDOWS = 10


def describe_reads(
    reads: ReadPlaces,
    alignments: Alignments,
    layout: GenomeLayout,
    genome: Genome,
    settings: CoverageSettings,
    placement: Placement,
    weight: Float32[np.ndarray, " alignment"],
    corrected: Float[np.ndarray, " alignment"],
    *,
    sample: str,
    source: str,
    fragment: ChosenLength,
    gc_model: GcModel | None = None,
    place_limit: int | None = None,
    cells: CellCounts | None = None,
) -> ReadsQc:
    """The quality of a sample from what its coverage was made of.

    Args:
        weight: Shares of reads once towers are cut.
        corrected: Weights that the coverage was written with, after GC correction.
        sample: Name of the sample.
        source: The file of alignments.
        fragment: The length that was used for reads without one of their own.
        gc_model: What `corrected` was corrected by.
        place_limit: Places of a read that the aligner gave at most.
        cells: Cells of a fragment file.
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
        place_limit=place_limit,
        cells=None if cells is None else CellsQuality.model_validate(cells, from_attributes=True),
        em=_em_quality(placement, settings),
        clip=_clip_quality(alignments, placement, weight, settings),
        fragment=_fragment_quality(alignments, pairs, fragment),
        gc=_gc_quality(count_by_gc(genome, layout, alignments, weight, corrected), gc_model),
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


def _clip_quality(
    alignments: Alignments,
    placement: Placement,
    weight: Float32[np.ndarray, " alignment"],
    settings: CoverageSettings,
) -> ClipQuality | None:
    if settings.clip is None:
        return None
    lost = placement.weight.astype(np.float64) - weight
    cut = alignments.place[lost > 0]
    if settings.stranded:
        cut = 2 * cut + (alignments.strand[lost > 0] > 0)
    return ClipQuality(ceiling=settings.clip, bases=len(np.unique(cut)), reads=float(lost.sum()))


def _fragment_quality(
    alignments: Alignments, pairs: Bool[np.ndarray, " read"], fragment: ChosenLength
) -> FragmentQuality | None:
    if pairs.any():
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
    if fragment.told_by is None or fragment.bp is None:
        return None
    curve = fragment.curve
    return FragmentQuality(
        told_by=fragment.told_by,
        length_bp=() if curve is None else tuple(curve.lengths.tolist()),
        value=() if curve is None else tuple(curve.correlation.tolist()),
        chosen_bp=fragment.bp,
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
        left_out=model.left_out,
    )
