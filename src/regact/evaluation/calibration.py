"""Whether predicted counts mean what they say: measured means where little, more and much is predicted."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Float64, Int64
from scipy.stats import rankdata

from regact.evaluation.measure_result import MeasureResult, name_missing, summarize, track_table
from regact.evaluation.split_predictions import SplitPredictions
from regact.metrics import TrackSums

N_DECILES = 10


class Calibration(NamedTuple):
    """Calibration of one track.

    Attributes:
        bins: Bins in each decile of prediction.
        mean_predicted: Mean prediction in each decile; NaN in an empty one, as below.
        mean_measured: Mean measured value in each decile.
        slope: Of the regression of measured on predicted values over all bins.
        ratio: Sum of the predicted over the sum of the measured values.
    """

    bins: Int64[np.ndarray, "decile"]
    mean_predicted: Float64[np.ndarray, "decile"]
    mean_measured: Float64[np.ndarray, "decile"]
    slope: float
    ratio: float


def calibrate(predicted: Float[np.ndarray, "bin"], measured: Float[np.ndarray, "bin"]) -> Calibration:
    """Deciles by rank, equal predictions sharing their mean rank and so one decile; the slope over all bins.

    A slope of 1 and a ratio of 1 are right; a slope below 1 says that predictions spread too far. NaN where the
    measured values are all one, and the slope where the predicted ones are.
    """
    p, y = predicted.astype(np.float64), measured.astype(np.float64)
    decile = np.minimum((N_DECILES * (rankdata(p) - 0.5) / len(p)).astype(np.int64), N_DECILES - 1)
    bins = np.bincount(decile, minlength=N_DECILES)
    counted = np.where(bins > 0, bins, np.nan)
    sum_p, sum_y = (np.bincount(decile, weights=values, minlength=N_DECILES) for values in (p, y))
    sums = TrackSums(1)
    sums.update(torch.from_numpy(p)[None, None], torch.from_numpy(y)[None, None])
    varies = bool(sums.varies()[0])
    slope = float(sums.co_moment[0] / sums.ss_prediction[0]) if varies and np.ptp(p) > 0 else float("nan")
    ratio = float(p.sum() / y.sum()) if varies else float("nan")
    return Calibration(bins, sum_p / counted, sum_y / counted, slope, ratio)


def measure_calibration(predictions: SplitPredictions, *, workers: int | None = None) -> MeasureResult:
    """Calibration per track, over all unmasked bins of the split, and by decile."""
    found = predictions.per_track(calibrate, label="calibration", workers=workers)
    columns = {"slope": [one.slope for one in found], "ratio": [one.ratio for one in found]}
    tracks = track_table(predictions.store.sheet, predictions.split, columns)
    by_decile = tracks[["split", "identifier", "assay"]].loc[tracks.index.repeat(N_DECILES)].reset_index(drop=True)
    by_decile["decile"] = np.tile(np.arange(1, N_DECILES + 1), len(found))
    for name in ("bins", "mean_predicted", "mean_measured"):
        by_decile[name] = np.concatenate([getattr(one, name) for one in found])
    remarks = name_missing(tracks, "slope", "measured or predicted values do not vary in this split")
    tables = {"calibration": tracks, "calibration_deciles": by_decile}
    return MeasureResult("calibration", tables, summarize(tracks, ["slope", "ratio"]), remarks)


def calibration_by_assay(by_decile: pd.DataFrame) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Per assay the mean over its tracks of each decile's mean prediction and mean measured value.

    Each track is divided by its own measured mean first, so that deep tracks do not outweigh others; tracks without
    signal are left out.
    """
    table = by_decile.assign(measured_sum=by_decile["mean_measured"].fillna(0) * by_decile["bins"])
    totals = table.groupby("identifier")[["measured_sum", "bins"]].transform("sum")
    mean = totals["measured_sum"] / totals["bins"]
    for name in ("mean_predicted", "mean_measured"):
        table[name] = table[name] / mean.where(mean > 0)
    means = table.groupby(["assay", "decile"], sort=False)[["mean_predicted", "mean_measured"]].mean()
    return {
        str(assay): (part["mean_predicted"].to_numpy(), part["mean_measured"].to_numpy())
        for assay, part in means.groupby(level="assay", sort=False)
    }
