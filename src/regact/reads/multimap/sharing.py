"""How reads with several places are shared out among them, as the settings say."""

import numpy as np
from jaxtyping import Float32

from regact.reads.alignments import Alignments
from regact.reads.layout import GenomeLayout
from regact.reads.multimap.em import Placement, place_reads
from regact.reads.presets import CoverageSettings


def share_reads(alignments: Alignments, layout: GenomeLayout, settings: CoverageSettings) -> Placement:
    """Shares of all reads by `settings.em`: `smoothed` and `exact` are EM, the others its yardsticks.

    `unique` gives reads with several places no weight anywhere; with `equal` a read's places share it equally; with
    `random` one of them, drawn by `settings.seed`, has it whole.
    """
    by_em = settings.em in ("smoothed", "exact")
    placement = place_reads(
        alignments,
        layout,
        sd_bp=settings.em_sd_bp,
        max_rounds=settings.em_rounds if by_em else 0,
        tolerance=settings.em_tolerance,
        exact=settings.em == "exact",
        stranded=settings.stranded,
        likelihood=alignments.likelihood(settings.error_rate) if by_em else None,
        background=settings.em_background,
        ceiling=settings.clip if settings.em == "smoothed" else None,
    )
    if settings.em == "unique":
        return _with_weight(placement, _unique_only(alignments))
    if settings.em == "random":
        return _with_weight(placement, _one_at_random(alignments, settings.seed))
    return placement


def _with_weight(placement: Placement, weight: Float32[np.ndarray, "alignment"]) -> Placement:
    return Placement(weight, placement.n_multimapped, (), (), converged=True)


def _unique_only(alignments: Alignments) -> Float32[np.ndarray, "alignment"]:
    sizes = np.diff(alignments.offsets)
    return np.repeat(sizes == 1, sizes).astype(np.float32)


def _one_at_random(alignments: Alignments, seed: int) -> Float32[np.ndarray, "alignment"]:
    weight = np.zeros(len(alignments), np.float32)
    drawn = np.random.default_rng(seed).random(alignments.n_reads) * np.diff(alignments.offsets)
    weight[alignments.offsets[:-1] + drawn.astype(np.int64)] = 1
    return weight
