"""How well predictions tell bins with a measured peak from those without: AUROC and AUPRC of every track."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float64
from scipy.special import gammainc
from scipy.stats import rankdata

from regact.evaluation.measure_result import MeasureResult, name_missing, summarize, track_table
from regact.evaluation.split_predictions import SplitPredictions

FALSE_DISCOVERY_RATE = 0.01


class PeakAccuracy(NamedTuple):
    """Of one track: its peaks, their share of all bins, and how predictions rank them (NaN without both kinds)."""

    peaks: int
    peak_share: float
    auroc: float
    auprc: float


def call_peaks(measured: Float[np.ndarray, "bin"]) -> Bool[np.ndarray, "bin"]:
    """Bins whose count is too high for a Poisson variable with the track's mean, at a false discovery rate of 1 %.

    p = P(X >= round(y)), X ~ Poisson(mean of y); q by Benjamini & Hochberg (1995) with their monotone step; a peak
    where q < 0.01. Counts are few distinct numbers, so bins of one count are handled together.
    """
    counts, place = np.unique(np.maximum(np.rint(measured.astype(np.float64)), 0), return_inverse=True)
    bins_at_count = np.bincount(place, minlength=len(counts))
    at_least = bins_at_count[::-1].cumsum()[::-1]  # bins with this count or a higher one: the rank of its p
    p = gammainc(counts, max(float(measured.mean(dtype=np.float64)), 0.0))  # P(X >= k); 1 for k = 0
    q = np.minimum.accumulate(np.where(counts > 0, p, 1.0) * len(measured) / at_least)
    return (q < FALSE_DISCOVERY_RATE)[place]


def auroc(scores: Float[np.ndarray, "bin"], is_peak: Bool[np.ndarray, "bin"]) -> float:
    """Chance that a peak scores above a bin that is none, a tie counting half; NaN where one of the two is missing."""
    positive = int(is_peak.sum())
    pairs = positive * (len(is_peak) - positive)
    if not pairs:
        return float("nan")
    return float((rankdata(scores)[is_peak].sum() - positive * (positive + 1) / 2) / pairs)


def auprc(scores: Float[np.ndarray, "bin"], is_peak: Bool[np.ndarray, "bin"]) -> float:
    """Average precision: sum over the distinct scores, from the highest, of (recall gained) x (precision there).

    By chance it is the share of peaks. No line is drawn between points, which would flatter. NaN as for `auroc`.
    """
    if is_peak.all() or not is_peak.any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last_of_tie = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    found: Float64[np.ndarray, threshold] = is_peak[order].cumsum(dtype=np.float64)[last_of_tie]
    precision = found / (last_of_tie + 1)
    return float((np.diff(found, prepend=0.0) * precision).sum() / found[-1])


def peak_accuracy(predicted: Float[np.ndarray, "bin"], measured: Float[np.ndarray, "bin"]) -> PeakAccuracy:
    """Peaks of the measured values, and how the predicted ones rank them."""
    is_peak = call_peaks(measured)
    return PeakAccuracy(int(is_peak.sum()), float(is_peak.mean()), auroc(predicted, is_peak), auprc(predicted, is_peak))


def measure_peaks(predictions: SplitPredictions, *, workers: int | None = None) -> MeasureResult:
    """AUROC and AUPRC per track, over all unmasked bins of the split."""
    found = predictions.per_track(peak_accuracy, label="peaks", workers=workers)
    columns = {name: [getattr(one, name) for one in found] for name in PeakAccuracy._fields}
    tracks = track_table(predictions.store.sheet, predictions.split, columns)
    remarks = name_missing(tracks, "auroc", "no bin is a peak or every one is")
    return MeasureResult("peaks", {"peaks": tracks}, summarize(tracks, ["auroc", "auprc", "peak_share"]), remarks)
