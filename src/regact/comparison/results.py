"""The table of a comparison: one row per model and split, as `results.tsv`."""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from regact.engine import whole_file
from regact.evaluation import MEASURES, Judgement
from regact.evaluation.baselines import NAME as BASELINE
from regact.model import ModelSpec, count, reach_bp, summarize_context
from regact.training import read_card
from regact.training.run_folder import LOG
from regact.training.transfer import start_in_words

RESULTS = "results.tsv"
DISTAL = "distal_accuracy"
Row = dict[str, Any]


@dataclass(frozen=True)
class Result:
    """A trial, or the floor, on one split: its row of the table and the judgement behind it."""

    row: Row
    judgement: Judgement


def trial_result(name: str, run: Path, spec: ModelSpec, judgement: Judgement) -> Result:
    """What `results.tsv` says of a trained model on one split; every column is defined in docs/evaluation.md."""
    card, log = read_card(run), pd.read_csv(run / LOG)
    cost = count(spec)
    row = {
        "model": name,
        "preset": spec.preset,
        **_context(spec),
        "tower": start_in_words(card),
        "seed": card["training"]["seed"],
        "parameters": cost.parameters,
        "gmac": cost.gmac,
        "reach_bp": reach_bp(spec),
        "epochs": len(log),
        "best_epoch": card["best"]["epoch"],
        "train_seconds": float(log["seconds"].iloc[-1]),
        "ended": card["ended"],
        "run": f"{run.parent.name}/{run.name}",
    }
    return Result(row | _judged(judgement), judgement)


def baseline_result(judgement: Judgement) -> Result:
    """The same of the ridge regression on 4-mers, which has no layers."""
    return Result({"model": BASELINE} | _judged(judgement), judgement)


def measures_of(judgement: Judgement) -> list[str]:
    """The columns of a row that are measures: of all tracks, distal accuracy on simulated data, and of each assay."""
    assays = [f"{measure}_{assay}" for assay in judgement.accuracy.assays["assay"] for measure in MEASURES]
    return [*MEASURES, *([DISTAL] if judgement.distal else []), *assays]


def write_results(path: Path, results: Sequence[Result]) -> None:
    """Write the rows as TSV, whole or not at all; what a row does not have is left empty."""
    rows = [result.row for result in results]
    columns = list(dict.fromkeys(name for row in sorted(rows, key=len, reverse=True) for name in row))
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=columns, delimiter="\t", lineterminator="\n", restval="")
        writer.writeheader()
        writer.writerows({name: _text(value) for name, value in row.items()} for row in rows)


def _context(spec: ModelSpec) -> Row:
    """Layers, heads and distance function; several attention layers are joined by commas."""
    context = summarize_context(spec)
    return {
        "dilated_layers": context.dilated_layers,
        "attention_layers": len(context.attention_heads),
        "heads": ",".join(map(str, context.pooling_heads + context.attention_heads)),
        "distance": ",".join(context.distances),
    }


def _judged(judgement: Judgement) -> Row:
    accuracy, distal = judgement.accuracy, judgement.distal
    row: Row = {"split": accuracy.split, **accuracy.means}
    for assay in accuracy.assays.to_dict("records"):
        row |= {f"{measure}_{assay['assay']}": assay[measure] for measure in MEASURES}
    if distal is not None:
        row |= {
            DISTAL: distal.value,
            "distal_within_reach": distal.within_reach,
            "distal_promoters": distal.n_promoters,
            "distal_beyond_bp": distal.reach_bp,
        }
    return row


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def describe_trial(label: str, row: Mapping[str, Any]) -> str:
    """A trial's result in a line."""
    text = f"{label}, split {row['split']}: Pearson {row['pearson']:.4f}, of log(1 + count) "
    text += f"{row['pearson_log1p']:.4f}, r2 {row['r2']:.4f}"
    if not math.isnan(row.get("distal_accuracy", math.nan)):
        text += f", distal accuracy {row['distal_accuracy']:.3f}"
    return text
