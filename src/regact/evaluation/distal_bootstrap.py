"""Distal accuracy with the blocks of the genome drawn anew: all promoters of a block come or go together."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64

from regact.evaluation.blocks import Blocks
from regact.evaluation.distal_accuracy import regress_out


@dataclass(frozen=True)
class DistalEvidence:
    """What distal accuracy was computed from: one entry for each pair of a promoter and a CAGE track.

    Attributes:
        promoter: Its number among those looked at.
        block: The block that holds its start of transcription.
        track: Position in the store's sheet.
        log_rate, log_intrinsic: True log rate, and the log of the promoter's own strength.
        log_predicted: Log of the predicted rate, background at least.
    """

    promoter: Int64[np.ndarray, "pair"]
    block: Int64[np.ndarray, "pair"]
    track: Int64[np.ndarray, "pair"]
    log_rate: Float64[np.ndarray, "pair"]
    log_intrinsic: Float64[np.ndarray, "pair"]
    log_predicted: Float64[np.ndarray, "pair"]

    @classmethod
    def of(cls, pairs: pd.DataFrame, predicted: Float64[np.ndarray, "pair"], blocks: Blocks) -> "DistalEvidence":
        """From the pairs and what `predict_pairs` says of them."""
        window = np.searchsorted(blocks.rows, pairs["row"].to_numpy())
        return cls(
            promoter=pd.factorize(pairs["promoter"])[0].astype(np.int64),
            block=blocks.of_bin[window, pairs["bin"].to_numpy()].astype(np.int64),
            track=pairs["track"].to_numpy(dtype=np.int64),
            log_rate=pairs["log_rate"].to_numpy(dtype=np.float64),
            log_intrinsic=pairs["log_intrinsic"].to_numpy(dtype=np.float64),
            log_predicted=np.asarray(predicted, dtype=np.float64),
        )

    @property
    def n_blocks(self) -> int:
        """Blocks that hold a promoter."""
        return len(np.unique(self.block))


def resample_distal_accuracy(
    evidence: DistalEvidence, weights: Float64[np.ndarray, "draw block"]
) -> Float64[np.ndarray, "draw"]:
    """Distal accuracy in every draw, the promoter's own strength regressed out anew in each; NaN where none was drawn.

    Sums of products over the pairs of each block and track are all that is needed: what least squares on s leaves of
    two variables has the co-moment C(y, p) - C(y, s) C(p, s) / C(s, s).
    """
    # Least squares over all pairs first changes nothing but rounding: what knows s alone is 0 from here on.
    truth, predicted = (
        regress_out(values, evidence.log_intrinsic, evidence.track)
        for values in (evidence.log_rate, evidence.log_predicted)
    )
    totals = np.zeros((3, len(weights)))  # of y and p, of y and y, of p and p
    for one in np.unique(evidence.track):
        ours = evidence.track == one
        known = evidence.log_intrinsic[ours] - evidence.log_intrinsic[ours].mean()
        totals += _left_over(np.stack([truth[ours], predicted[ours], known]), weights[:, evidence.block[ours]])
    scale = np.sqrt(np.maximum(totals[1] * totals[2], 0.0))
    n_drawn = weights @ np.bincount(evidence.block, minlength=weights.shape[1])
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.where(scale > 1e-12 * n_drawn, totals[0] / scale, 0.0)
    return np.where(n_drawn > 0, correlation, np.nan)


def _left_over(
    values: Float64[np.ndarray, "3 pair"], weight: Float64[np.ndarray, "draw pair"]
) -> Float64[np.ndarray, "3 draw"]:
    """Co-moments of truth and prediction, and either's own, after least squares on the third, about the drawn means."""
    count = np.maximum(weight.sum(axis=1), 1.0)
    sums = weight @ values.T

    def co_moment(a: int, b: int) -> Float64[np.ndarray, "draw"]:
        return weight @ (values[a] * values[b]) - sums[:, a] * sums[:, b] / count

    known = co_moment(2, 2)
    slope = np.where(known > 1e-12 * count, 1 / np.where(known > 0, known, 1.0), 0.0)
    to_known = [co_moment(0, 2), co_moment(1, 2)]
    return np.stack([co_moment(a, b) - to_known[a] * to_known[b] * slope for a, b in ((0, 1), (0, 0), (1, 1))])
