"""The tables of a report, as text ready to be shown."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from regact.dataset import Store
from regact.dataset.config import SPLITS
from regact.evaluation import Judgement
from regact.evaluation.baselines import NAME as BASELINE
from regact.report.run_record import RunRecord

MEASURES = {"pearson": "Pearson", "pearson_log1p": "Pearson of log(1+x)", "r2": "r²"}


@dataclass(frozen=True)
class Cell:
    """One entry; `best` marks the highest of its column, `number` sets it flush right."""

    text: str
    best: bool = False
    number: bool = True


@dataclass(frozen=True)
class Table:
    """Columns and rows of cells."""

    columns: tuple[str, ...]
    rows: list[list[Cell]]


def summary_table(runs: Sequence[RunRecord], floor: Judgement) -> Table:
    """Return one row a run, and one for the regression: accuracy (mean over tracks), size, cost and training.

    On simulated data also distal accuracy, with a row for either ceiling.
    """
    distal = runs[0].judgement.distal
    scores = [*MEASURES.values(), *(["distal accuracy"] if distal else [])]
    values = [_scores(run.judgement) for run in runs]
    best = [_best([row[column] for row in values]) for column in range(len(scores))]
    rows = [
        [
            Cell(run.label, number=False),
            *(Cell(_score(value), best=value == top) for value, top in zip(row, best, strict=True)),
            Cell(run.reach),
            Cell(f"{run.cost.parameters:,}"),
            Cell(f"{run.cost.gmac:.3g}"),
            Cell(run.epochs),
            Cell(f"{run.minutes:.1f}"),
        ]
        for run, row in zip(runs, values, strict=True)
    ]
    columns = ("model", *scores, "reach", "parameters", "GMAC", "epochs", "training, min")
    others = [(BASELINE, _scores(floor))]
    if distal:
        nothing = [math.nan] * len(MEASURES)
        others.append((f"the truth within {distal.reach_bp / 1000:.3g} kb", [*nothing, distal.within_reach]))
        others.append(("the truth", [*nothing, 1.0 if distal.is_computed else math.nan]))
    for name, row in others:
        cells = [Cell(name, number=False), *(Cell(_score(value)) for value in row)]
        rows.append(cells + [Cell("")] * (len(columns) - len(cells)))
    return Table(columns, rows)


def _scores(judgement: Judgement) -> list[float]:
    distal = [judgement.distal.value] if judgement.distal else []
    return [*(judgement.accuracy.means[measure] for measure in MEASURES), *distal]


def assay_table(runs: Sequence[RunRecord], floor: Judgement) -> Table:
    """Return one row per assay and run, and one for the regression: number of tracks and their mean accuracy."""
    found = [run.accuracy.assays.assign(model=run.label) for run in runs]
    best = pd.concat(found).groupby("assay")[list(MEASURES)].max()
    joined = pd.concat([*found, floor.accuracy.assays.assign(model=BASELINE)], ignore_index=True)
    rows = []
    for assay in joined["assay"].unique():
        for row in joined[joined["assay"] == assay].to_dict("records"):
            names = [Cell(assay, number=False), Cell(row["model"], number=False), Cell(str(row["tracks"]))]
            is_run = row["model"] != BASELINE
            scores = [
                Cell(_score(row[m]), best=is_run and len(runs) > 1 and row[m] == best.loc[assay, m]) for m in MEASURES
            ]
            rows.append([*names, *scores])
    return Table(("assay", "model", "tracks", *MEASURES.values()), rows)


def dataset_table(store: Store) -> Table:
    """Return what the runs were trained and judged on, as rows of name and value."""
    tracks = pd.Series(store.sheet.assays).value_counts(sort=False)
    counts = store.windows["split"].value_counts()
    masked = 1 - float(store.read_mask(np.arange(store.n_windows)).mean())
    facts = {
        "genome": f"{store.genome_name}, {sum(store.header.genome.lengths.values()):,} bp",
        "genome checksum": store.genome_checksum[:16],
        "store": f"{store.path.name}, fingerprint {store.fingerprint[:16]}",
        "tracks": f"{store.n_tracks}: " + ", ".join(f"{count} {assay}" for assay, count in tracks.items()),
        "window": f"{store.window_bp:,} bp; {store.n_bins:,} bins of {store.bin_bp} bp"
        + (f" after {store.crop_bins} at each end are dropped" if store.crop_bins else ""),
        "windows": ", ".join(f"{counts.get(split, 0):,} {split}" for split in SPLITS),
        "masked": f"{masked:.2%} of the bins of all windows",
    }
    return Table(("", ""), [[Cell(name, number=False), Cell(value, number=False)] for name, value in facts.items()])


def _best(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return max(finite) if len(values) > 1 and finite else math.nan


def _score(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "–"
