"""The tables of a report, as text ready to be shown."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from regact.dataset import Store
from regact.dataset.config import SPLITS
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


def summary_table(runs: Sequence[RunRecord]) -> Table:
    """Return one row a run: accuracy (mean over tracks), parameters, epochs, minutes."""
    means = [[run.accuracy.means[measure] for measure in MEASURES] for run in runs]
    best = [_best([row[column] for row in means]) for column in range(len(MEASURES))]
    rows = [
        [
            Cell(run.label, number=False),
            *(Cell(_score(value), best=value == top) for value, top in zip(values, best, strict=True)),
            Cell(f"{run.parameters:,}"),
            Cell(run.epochs),
            Cell(f"{run.minutes:.1f}"),
        ]
        for run, values in zip(runs, means, strict=True)
    ]
    return Table(("model", *MEASURES.values(), "parameters", "epochs", "training, min"), rows)


def assay_table(runs: Sequence[RunRecord]) -> Table:
    """Return one row per assay and run: number of tracks and their mean accuracy."""
    joined = pd.concat([run.accuracy.assays.assign(model=run.label) for run in runs], ignore_index=True)
    best = joined.groupby("assay")[list(MEASURES)].max()
    rows = []
    for assay in joined["assay"].unique():
        for row in joined[joined["assay"] == assay].to_dict("records"):
            names = [Cell(assay, number=False), Cell(row["model"], number=False), Cell(str(row["tracks"]))]
            scores = [Cell(_score(row[m]), best=len(runs) > 1 and row[m] == best.loc[assay, m]) for m in MEASURES]
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
