"""Every measure of a model as it might have been, with other blocks of the genome and other seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from regact.comparison.results import DISTAL, Result, measures_of
from regact.evaluation import (
    Evidence,
    Judgement,
    Resamples,
    draw_blocks,
    read_evidence,
    resample_accuracy,
    resample_distal_accuracy,
    why_no_interval,
)

_Draws = Mapping[str, Float64[np.ndarray, "draw"]]  # by measure


@dataclass(frozen=True)
class ModelResamples:
    """A model on one split: its measures over seeds, and how many blocks there were to draw.

    Attributes:
        by_measure: As the results name them.
        n_blocks: Blocks with unmasked bins.
        why_none, why_no_distal: Why nothing was drawn, for all measures or for distal accuracy; empty where it was.
    """

    by_measure: Mapping[str, Resamples]
    n_blocks: int
    why_none: str
    why_no_distal: str


def resample_model(results: Sequence[Result], *, seed: int) -> ModelResamples:
    """Resample a model whose seeds are `results`, all on one split.

    The same blocks are drawn for every model; which seeds, `seed` says, so that models do not share them.

    Raises: FormatError where what a judgement rests on is not there any more.
    """
    drawn: list[_Draws] = []
    for result in results:
        evidence = read_evidence(result.judgement.evidence)  # at paper scale 600 MB: one at a time
        drawn.append(_draw(evidence, result.judgement))
    n_blocks = int(evidence.windows.has_bins.sum())
    n_distal = evidence.distal.n_blocks if evidence.distal else 0
    random = np.random.default_rng([1, seed])
    by_measure = {}
    for measure in measures_of(results[0].judgement):
        values = np.array([float(result.row[measure]) for result in results])
        # Nothing is drawn of too few blocks, nor distal accuracy of too few with distally driven promoters; a measure
        # that is missing otherwise has no formula of resampled sums.
        may_lack = measure == DISTAL or not all(drawn)
        in_draws = np.stack([one.get(measure, np.empty(0)) if may_lack else one[measure] for one in drawn])
        blocks = n_distal if measure == DISTAL else n_blocks
        by_measure[measure] = Resamples.over_seeds(values, in_draws, blocks, random)
    return ModelResamples(
        by_measure, n_blocks, why_no_interval(n_blocks), why_no_interval(n_distal, "distally driven promoters")
    )


def _draw(evidence: Evidence, judgement: Judgement) -> _Draws:
    """Every measure in every draw of blocks, but for those with too few blocks."""
    windows, distal = evidence.windows, evidence.distal
    if why_no_interval(int(windows.has_bins.sum())):
        return {}
    weights = draw_blocks(windows.has_bins)
    assay = judgement.accuracy.tracks["assay"].to_numpy()
    groups = {"": np.ones(len(assay), dtype=bool)} | {f"_{name}": assay == name for name in dict.fromkeys(assay)}
    found = resample_accuracy(windows, groups, weights)
    drawn = {f"{measure}{group}": values for group in groups for measure, values in found[group].items()}
    if distal is not None and not why_no_interval(distal.n_blocks):
        drawn[DISTAL] = resample_distal_accuracy(distal, weights)
    return drawn
