"""The accuracy of a split with its blocks drawn anew, for every draw at once, from sums of the windows.

A draw is a weight for each block: how often it was drawn. Sums over drawn bins are then one matrix product of weights
and sums of blocks. Blocks have means of their own; so their sums are first brought to one centre for each track, its
mean over the whole split, about which plain sums add up and, in float64, lose no digits that matter.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from regact.evaluation.window_sums import SCALES, WindowSums

RESAMPLES = 1_000
_Draws = Float64[np.ndarray, "draw"]
_TRACKS_AT_ONCE = 256  # a chunk's values of all draws fit in the processor's cache
# What is left of a sum of squares about the drawn bins' own mean, below this share of that about the common centre, is
# rounding: the drawn bins all hold one value.
_ROUNDING = 1e-12


def draw_blocks(
    has_bins: Bool[np.ndarray, "block"], resamples: int = RESAMPLES, *, seed: int = 0
) -> Float64[np.ndarray, "draw block"]:
    """How often each block is drawn, in each of `resamples` draws with replacement of as many blocks as have bins."""
    n_blocks = int(has_bins.sum())
    weights = np.zeros((resamples, len(has_bins)))
    random = np.random.default_rng(seed)
    weights[:, has_bins] = random.multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks), size=resamples)
    return weights


@dataclass(frozen=True)
class BlockSums:
    """Plain sums over the bins of each block, of deviations from a centre that all blocks of a track share.

    Attributes:
        count: Unmasked bins.
        centre: Means of predictions and of measured values over all blocks.
        prediction, target: Sums of the deviations.
        prediction2, target2, product: Sums of their squares, and of their product.
        error2: Sum of squared differences between prediction and measured value.
    """

    count: Float64[np.ndarray, "block"]
    centre: Float64[np.ndarray, "2 track"]
    prediction: Float64[np.ndarray, "block track"]
    target: Float64[np.ndarray, "block track"]
    prediction2: Float64[np.ndarray, "block track"]
    target2: Float64[np.ndarray, "block track"]
    product: Float64[np.ndarray, "block track"]
    error2: Float64[np.ndarray, "block track"]

    @classmethod
    def of(
        cls,
        block: Int64[np.ndarray, "piece"],
        n_blocks: int,
        count: Int64[np.ndarray, "piece"],
        moments: Float64[np.ndarray, "moment piece track"],
    ) -> "BlockSums":
        """Merge the pieces of each block, exactly: sum (v - c)^2 = sum (v - mean)^2 + n (mean - c)^2."""
        mean_prediction, mean_target, ss_prediction, ss_target, co_moment, ss_error = moments
        weight = count[:, None].astype(np.float64)
        total = max(1.0, float(weight.sum()))
        centre = np.stack([(weight * mean).sum(axis=0) / total for mean in (mean_prediction, mean_target)])
        from_prediction, from_target = mean_prediction - centre[0], mean_target - centre[1]
        membership = np.zeros((n_blocks, len(block)))
        membership[block, np.arange(len(block))] = 1.0
        return cls(
            membership @ weight[:, 0],
            centre,
            membership @ (weight * from_prediction),
            membership @ (weight * from_target),
            membership @ (ss_prediction + weight * from_prediction**2),
            membership @ (ss_target + weight * from_target**2),
            membership @ (co_moment + weight * from_prediction * from_target),
            membership @ ss_error,
        )

    def accuracy(
        self, weights: Float64[np.ndarray, "draw block"]
    ) -> tuple[Float64[np.ndarray, "draw track"], Float64[np.ndarray, "draw track"]]:
        """Pearson and r2 of each track over the drawn bins, as `TrackSums` has them over all.

        NaN where the drawn values of a track are all the same; 0 as its Pearson where only the predictions are.
        """
        count = np.maximum(weights @ self.count, 1.0)[:, None]
        prediction, target = weights @ self.prediction, weights @ self.target
        prediction2, target2 = weights @ self.prediction2, weights @ self.target2
        ss_prediction, flat = _about_own_mean(prediction2, prediction, count)
        ss_target, constant = _about_own_mean(target2, target, count)
        co_moment = weights @ self.product - prediction * target / count
        with np.errstate(invalid="ignore", divide="ignore"):
            pearson = np.clip(co_moment / np.sqrt(ss_prediction * ss_target), -1.0, 1.0)
            r2 = 1.0 - (weights @ self.error2) / ss_target
        pearson = np.where(flat, 0.0, pearson)
        return np.where(constant, np.nan, pearson), np.where(constant, np.nan, r2)


def resample_accuracy(
    sums: WindowSums, groups: Mapping[str, Bool[np.ndarray, "track"]], weights: Float64[np.ndarray, "draw block"]
) -> dict[str, dict[str, _Draws]]:
    """Each measure as the mean over the tracks of each group, in every draw: `{group: {measure: values}}`.

    A track whose drawn bins all hold one value is in no mean of that draw; NaN where that leaves none.
    """
    members = np.stack([np.asarray(member, dtype=np.float64) for member in groups.values()], axis=1)
    found: dict[str, dict[str, _Draws]] = {group: {} for group in groups}
    for scale in SCALES:
        totals = np.zeros((2, len(weights), members.shape[1]))
        judged = np.zeros_like(totals)
        moments = getattr(sums, scale)
        for first in range(0, sums.n_tracks, _TRACKS_AT_ONCE):
            chunk = slice(first, first + _TRACKS_AT_ONCE)
            blocks = BlockSums.of(sums.block, sums.n_blocks, sums.count, moments[:, :, chunk])
            for measure, values in enumerate(blocks.accuracy(weights)):
                totals[measure] += np.nan_to_num(values) @ members[chunk]
                judged[measure] += ~np.isnan(values) @ members[chunk]
        with np.errstate(invalid="ignore"):
            means = totals / judged
        suffix = "" if scale == "raw" else "_log1p"
        for column, group in enumerate(groups):
            found[group] |= {f"pearson{suffix}": means[0][:, column], f"r2{suffix}": means[1][:, column]}
    return found


def _about_own_mean(
    squares: Float64[np.ndarray, "draw track"],
    total: Float64[np.ndarray, "draw track"],
    count: Float64[np.ndarray, "draw 1"],
) -> tuple[Float64[np.ndarray, "draw track"], Bool[np.ndarray, "draw track"]]:
    """Sums of squares about the drawn bins' own mean, and where that is nothing but rounding."""
    own = squares - total**2 / count
    return own, own <= _ROUNDING * squares
