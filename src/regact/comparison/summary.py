"""What a comparison says of each model over its seeds, and of each two models, with intervals.

`summary.tsv` has a row for each model and split, `differences.tsv` one for each split, measure and pair of models.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import fmean

import pandas as pd

from regact.comparison.resampling import ModelResamples, resample_model
from regact.comparison.results import DISTAL, Result, Row
from regact.engine import whole_file
from regact.evaluation import Estimate, Resamples, holm

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
    """A model on one split over its seeds.

    Attributes:
        model, split: Which.
        rows: Of the results, one a seed.
        assays: In the order of the track sheet.
        n_blocks: Blocks of the genome that intervals rest on.
        no_interval, no_distal_interval: Why there is no interval, or none of distal accuracy; empty where there is.
        estimates: By measure, as the results name them.
    """

    model: str
    split: str
    rows: tuple[Row, ...]
    assays: tuple[str, ...]
    n_blocks: int
    no_interval: str
    no_distal_interval: str
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
        resamples: dict[str, Mapping[str, Resamples]] = {}
        for number, model in enumerate(dict.fromkeys(result.row["model"] for result in on_split)):
            ours = [result for result in on_split if result.row["model"] == model]
            found = resample_model(ours, seed=number)
            resamples[model] = found.by_measure
            models.append(_summary_of(model, split, ours, found))
        differences += _differences(split, resamples)
    return Summary(tuple(models), tuple(differences))


def _summary_of(model: str, split: str, results: Sequence[Result], found: ModelResamples) -> ModelSummary:
    estimates = {measure: resamples.estimate() for measure, resamples in found.by_measure.items()}
    return ModelSummary(
        model=model,
        split=split,
        rows=tuple(result.row for result in results),
        assays=tuple(results[0].judgement.accuracy.assays["assay"]),
        n_blocks=found.n_blocks,
        no_interval=found.why_none,
        no_distal_interval=found.why_no_distal,
        estimates=estimates,
    )


def summary_table(summary: Summary) -> pd.DataFrame:
    """One row a model and split: seeds, each measure with `_low` and `_high`, cost, blocks, and why no interval."""
    table = []
    for model in summary.models:
        row: Row = {"model": model.model, "split": model.split, "seeds": len(model.rows)}
        for measure, estimate in model.estimates.items():
            row |= {measure: estimate.value, f"{measure}_low": estimate.low, f"{measure}_high": estimate.high}
        row |= {name: fmean(trial.get(name, math.nan) for trial in model.rows) for name in _COSTS}
        row |= {"blocks": model.n_blocks, "no_interval": model.no_interval}
        table.append(row | ({"no_distal_interval": model.no_distal_interval} if DISTAL in model.estimates else {}))
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
