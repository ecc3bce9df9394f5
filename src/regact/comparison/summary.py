"""What a comparison says of each model over its seeds, and of each two models, with intervals.

`summary.tsv` has a row for each model and split, `differences.tsv` one for each split, measure and pair of models.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float64

from regact.comparison.results import DISTAL, Result, Row, measures_of
from regact.engine import whole_file
from regact.evaluation import (
    Estimate,
    Evidence,
    Judgement,
    Resamples,
    draw_blocks,
    holm,
    read_evidence,
    resample_accuracy,
    resample_distal_accuracy,
    why_no_interval,
)

SUMMARY, DIFFERENCES = "summary.tsv", "differences.tsv"
SIGNIFICANT = 0.05
_COSTS = ("parameters", "gmac", "train_seconds")


@dataclass(frozen=True)
class Difference:
    """How much higher `model` is than `other` in a measure on a split; p is corrected over all pairs of models."""

    split: str
    measure: str
    model: str
    other: str
    estimate: Estimate
    p_holm: float

    @property
    def differs(self) -> bool:
        """Whether it is one: its interval excludes 0, and p stands the correction."""
        return self.estimate.excludes_zero and self.p_holm < SIGNIFICANT


@dataclass(frozen=True)
class ModelSummary:
    """A model on one split over its seeds: `rows` of the results, one a seed, and `estimates` by measure."""

    model: str
    split: str
    rows: tuple[Row, ...]
    assays: tuple[str, ...]
    n_blocks: int
    no_interval: str
    estimates: Mapping[str, Estimate]


@dataclass(frozen=True)
class Summary:
    """All models on all splits, and all differences between two of them."""

    models: tuple[ModelSummary, ...]
    differences: tuple[Difference, ...]

    @property
    def splits(self) -> tuple[str, ...]:
        """Splits in the order of the experiment."""
        return tuple(dict.fromkeys(model.split for model in self.models))

    def on(self, split: str) -> list[ModelSummary]:
        """The models on one split."""
        return [model for model in self.models if model.split == split]


def summarize(results: Sequence[Result]) -> Summary:
    """Bring the results of all trials together over seeds.

    Raises: FormatError where what a judgement rests on is not there any more.
    """
    models: list[ModelSummary] = []
    differences: list[Difference] = []
    for split in dict.fromkeys(result.row["split"] for result in results):
        on_split = [result for result in results if result.row["split"] == split]
        resamples: dict[str, dict[str, Resamples]] = {}
        for number, model in enumerate(dict.fromkeys(result.row["model"] for result in on_split)):
            ours = [result for result in on_split if result.row["model"] == model]
            resamples[model], n_blocks = _resample(ours, seed=number)
            estimates = {measure: found.estimate() for measure, found in resamples[model].items()}
            rows, assays = tuple(result.row for result in ours), tuple(ours[0].judgement.accuracy.assays["assay"])
            models.append(ModelSummary(model, split, rows, assays, n_blocks, why_no_interval(n_blocks), estimates))
        differences += _differences(split, resamples)
    return Summary(tuple(models), tuple(differences))


def summary_table(summary: Summary) -> pd.DataFrame:
    """One row a model and split: seeds, each measure with `_low` and `_high`, cost, blocks, and why no interval."""
    table = []
    for model in summary.models:
        row: Row = {"model": model.model, "split": model.split, "seeds": len(model.rows)}
        for measure, estimate in model.estimates.items():
            row |= {measure: estimate.value, f"{measure}_low": estimate.low, f"{measure}_high": estimate.high}
        row |= {name: _mean([cost.get(name, math.nan) for cost in model.rows]) for name in _COSTS}
        table.append(row | {"blocks": model.n_blocks, "no_interval": model.no_interval})
    return pd.DataFrame(table)


def differences_table(summary: Summary) -> pd.DataFrame:
    """One row a split, measure and pair of models."""
    return pd.DataFrame(
        [
            {
                "split": each.split,
                "measure": each.measure,
                "model": each.model,
                "other": each.other,
                "difference": each.estimate.value,
                "low": each.estimate.low,
                "high": each.estimate.high,
                "p": each.estimate.p,
                "p_holm": each.p_holm,
                "differs": each.differs,
            }
            for each in summary.differences
        ],
        columns=["split", "measure", "model", "other", "difference", "low", "high", "p", "p_holm", "differs"],
    )


def write_summary(out: Path, summary: Summary) -> None:
    """Write both tables, whole or not at all; what is not known is left empty."""
    for name, table in ((SUMMARY, summary_table(summary)), (DIFFERENCES, differences_table(summary))):
        with whole_file(out / name) as temporary:
            table.to_csv(temporary, sep="\t", index=False, float_format="%.6g")


def _resample(results: Sequence[Result], *, seed: int) -> tuple[dict[str, Resamples], int]:
    """Each measure of a model, whose seeds are `results`, as it would be with other blocks and seeds; and the blocks.

    The same blocks are drawn for every model, and seeds by `seed`, apart from those of other models.
    """
    drawn: list[dict[str, Float64[np.ndarray, draw]]] = []
    for result in results:
        evidence = read_evidence(result.judgement.evidence)  # at paper scale 600 MB: one at a time
        drawn.append(_draw(evidence, result.judgement))
    has_bins = evidence.windows.has_bins
    n_promoter_blocks = evidence.distal.n_blocks if evidence.distal else 0
    random = np.random.default_rng([1, seed])
    resamples = {}
    for measure in measures_of(results[0].judgement):
        values = np.array([float(result.row[measure]) for result in results])
        in_draws = np.stack([one.get(measure, np.empty(0)) for one in drawn])
        n_blocks = n_promoter_blocks if measure == DISTAL else int(has_bins.sum())
        resamples[measure] = Resamples.over_seeds(values, in_draws, n_blocks, random)
    return resamples, int(has_bins.sum())


def _draw(evidence: Evidence, judgement: Judgement) -> dict[str, Float64[np.ndarray, "draw"]]:
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


def _differences(split: str, resamples: Mapping[str, Mapping[str, Resamples]]) -> list[Difference]:
    """Each model against each that comes after it; p is corrected over the pairs of one measure."""
    differences = []
    for measure in dict.fromkeys(measure for of_model in resamples.values() for measure in of_model):
        pairs = list(combinations(resamples, 2))
        estimates = [(resamples[model][measure] - resamples[other][measure]).estimate() for model, other in pairs]
        corrected = holm([estimate.p for estimate in estimates])
        differences += [
            Difference(split, measure, *pair, estimate, p)
            for pair, estimate, p in zip(pairs, estimates, corrected, strict=True)
        ]
    return differences


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
