"""Spearman's rank correlation of every track, exact: over all bins of a split at once, not within batches."""

import numpy as np
from jaxtyping import Float
from scipy.stats import rankdata

from regact.evaluation.measure_result import MeasureResult, correlation, name_missing, summarize, track_table
from regact.evaluation.split_predictions import SplitPredictions


def spearman(predicted: Float[np.ndarray, "bin"], measured: Float[np.ndarray, "bin"]) -> float:
    """Pearson of the ranks, ties sharing the mean of theirs; NaN or 0 for constants as `correlation` has it."""
    return float(correlation(rankdata(predicted)[None], rankdata(measured)[None])[0])


def measure_spearman(predictions: SplitPredictions, *, workers: int | None = None) -> MeasureResult:
    """Spearman's correlation per track, over all unmasked bins of the split."""
    values = predictions.per_track(spearman, label="spearman", workers=workers)
    tracks = track_table(predictions.store.sheet, predictions.split, {"spearman": values})
    remarks = name_missing(tracks, "spearman", "without variance in this split")
    return MeasureResult("spearman", {"spearman": tracks}, summarize(tracks, ["spearman"]), remarks)
