"""A comparison as a page of text: the table of the paper's Figure 6, the assays, and which models differ."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from regact.comparison.results import DISTAL
from regact.comparison.summary import SIGNIFICANT, Difference, ModelSummary, Summary
from regact.engine import whole_file
from regact.evaluation import Estimate

RESULTS_TEXT = "results.md"
_SPLITS = {"train": "Training", "valid": "Validation", "test": "Test"}
_FUNCTIONS = {"two_sided": "2-SIDED"}  # as the paper writes them: the others are their names in capitals
_NAMES = {
    "pearson": "ρ",
    "r2": "r²",
    "pearson_log1p": "ρ of log(1 + count)",
    "r2_log1p": "r² of log(1 + count)",
    DISTAL: "distal accuracy",
}
_FIGURE_6 = ("pearson", "r2", DISTAL)


def write_results_text(path: Path, name: str, summary: Summary) -> None:
    """Write `results.md`, whole or not at all: for each split the tables, best model first, and what can be told apart.

    Args:
        name: Of the experiment.
    """
    sections = [_split_section(summary.on(split), summary.differences) for split in summary.splits]
    with whole_file(path) as temporary:
        temporary.write_text("\n\n".join([f"# {name}", _HOW_TO_READ, *sections]) + "\n", encoding="utf-8")


_HOW_TO_READ = """\
Each number is the mean over tracks, and over seeds where there are several; in brackets its 95 % interval over blocks
of the genome and seeds. What is defined how: docs/evaluation.md of regact. More measures, and the numbers behind
these: summary.tsv, differences.tsv, and results.tsv for each seed."""


def _split_section(models: Sequence[ModelSummary], differences: Sequence[Difference]) -> str:
    split = models[0].split
    ordered = sorted(models, key=lambda model: -_or_lowest(model.estimates["pearson"].value))
    notes = [f"No intervals: {why}." for why in dict.fromkeys(model.no_interval for model in ordered) if why]
    if not notes and DISTAL in ordered[0].estimates and ordered[0].no_distal_interval:
        notes.append(f"No interval of distal accuracy: {ordered[0].no_distal_interval}.")
    parts = [
        f"## {_SPLITS[split]}",
        *notes,
        _figure_6(ordered),
        _assays(ordered),
    ]
    parts += [_told_apart([each for each in differences if each.split == split], measure) for measure in _FIGURE_6]
    return "\n\n".join(part for part in parts if part)


def _figure_6(models: Sequence[ModelSummary]) -> str:
    """The columns of the paper's figure, and distal accuracy where the data is simulated."""
    shown = [measure for measure in _FIGURE_6 if measure in models[0].estimates]
    head = ["Model", "Dilated Convs.", "Attn. Layers", "Attn. Heads", "Exp. Fn.", *(_NAMES[m] for m in shown), "Seeds"]
    rows = [
        [
            model.model,
            *_architecture(model.rows[0]),
            *(_text(model.estimates[measure]) for measure in shown),
            str(len(model.rows)) if model.rows[0].get("preset") else "",
        ]
        for model in models
    ]
    return _table(head, rows)


def _architecture(row: Mapping[str, Any]) -> list[str]:
    """Dilated layers, attention layers, heads of each, distance function: as the paper writes them."""
    if "preset" not in row:
        return [""] * 4
    functions = [_FUNCTIONS.get(name, name.upper()) for name in row["distance"].split(",") if name] or ["NONE"]
    heads = row["heads"].replace(",", ", ") if row["attention_layers"] else "0"
    return [str(row["dilated_layers"]), str(row["attention_layers"]), heads, ", ".join(functions)]


def _assays(models: Sequence[ModelSummary]) -> str:
    """Pearson of each assay, as in the paper's Figure 7."""
    assays = models[0].assays
    rows = [[model.model, *(_text(model.estimates[f"pearson_{assay}"]) for assay in assays)] for model in models]
    return _table(["ρ", *assays], rows)


def _told_apart(differences: Sequence[Difference], measure: str) -> str:
    """The pairs of models that differ in a measure, the higher one first; how many do not."""
    pairs = [each for each in differences if each.measure == measure and not math.isnan(each.estimate.p)]
    found = sorted((each for each in pairs if each.differs), key=lambda each: -abs(each.estimate.value))
    if not pairs:
        return ""
    text = f"Pairs of models that differ in {_NAMES[measure]}: {len(found)} of {len(pairs)}"
    text += f" (the interval of the difference excludes 0, and p is below {SIGNIFICANT} after Holm's correction)"
    if not found:
        return f"{text}."
    return "\n".join([f"{text}:\n", *(f"- {_sentence(each)}" for each in found)])


def _sentence(difference: Difference) -> str:
    value, low, high = difference.estimate.value, difference.estimate.low, difference.estimate.high
    higher, lower = difference.model, difference.other
    if value < 0:
        value, low, high, higher, lower = -value, -high, -low, lower, higher
    return f"{higher} above {lower} by {value:.3f} [{low:.3f}, {high:.3f}], p {difference.p_holm:.2g}"


def _text(estimate: Estimate) -> str:
    if math.isnan(estimate.value):
        return "–"
    interval = "" if math.isnan(estimate.low) else f" [{estimate.low:.3f}, {estimate.high:.3f}]"
    return f"{estimate.value:.3f}{interval}"


def _or_lowest(value: float) -> float:
    return -math.inf if math.isnan(value) else value


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
