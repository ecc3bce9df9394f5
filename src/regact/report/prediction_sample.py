"""Predicted against measured values, counted on windows spread over a split."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from regact.dataset import Store
from regact.genome import Genome
from regact.model import SequenceModel, predict_codes

WINDOWS = 24
CELLS = 60


@dataclass(frozen=True)
class PredictionSample:
    """How many bins of each assay's tracks have which pair of values: `counts[assay][measured, predicted]`.

    `edges[assay]` are the limits of both axes' cells in log(1 + count), up to the largest value of the whole dataset; a
    value beyond either end is in the cell there.
    """

    edges: Mapping[str, Float[np.ndarray, "edge"]]
    counts: Mapping[str, Int64[np.ndarray, "measured predicted"]]
    n_windows: int


def spread_rows(store: Store, split: str, most: int) -> Int64[np.ndarray, "row"]:
    """Return up to `most` rows of the window table, evenly spread over a split."""
    rows = store.rows(split)
    return rows[np.unique(np.linspace(0, len(rows) - 1, most).round().astype(int))]


def read_window_codes(store: Store, genome: Genome, row: int) -> np.ndarray:
    """Return the bases of a window as codes, (1, window_bp)."""
    return genome.fetch(store.window(row))[None]


def sample_predictions(model: SequenceModel, store: Store, genome: Genome, split: str) -> PredictionSample:
    """Predict up to 24 windows of `split` and count pairs of measured and predicted values in unmasked bins."""
    rows = spread_rows(store, split, WINDOWS)
    assays = np.asarray(store.sheet.assays)
    largest = store.track_statistics["max"].to_numpy()
    highest = {assay: float(np.log1p(max(largest[assays == assay].max(), 1.0))) for assay in dict.fromkeys(assays)}
    counts = {assay: np.zeros((CELLS, CELLS), dtype=np.int64) for assay in highest}
    for row in rows:
        targets, mask = store.read([int(row)])
        measured = targets[0][mask[0]].T  # (track, unmasked bin)
        predicted = predict_codes(model, read_window_codes(store, genome, int(row)))[0].numpy()[:, mask[0]]
        for assay, table in counts.items():
            one, other = (_cells(values[assays == assay], highest[assay]) for values in (measured, predicted))
            table += np.bincount((one * CELLS + other).ravel(), minlength=CELLS**2).reshape(CELLS, CELLS)
    edges = {assay: np.linspace(0, top, CELLS + 1) for assay, top in highest.items()}
    return PredictionSample(edges, counts, len(rows))


def _cells(values: np.ndarray, highest: float) -> Int64[np.ndarray, "track bin"]:
    scaled = np.log1p(np.maximum(values.astype(np.float32), 0)) * (CELLS / highest)
    return np.minimum(scaled, CELLS - 1).astype(np.int64)
