"""Pearson correlation and r2 of every track, streamed over a split in centred float64 sums.

A split does not fit in memory, and plain sums of squares lose all digits where a track's mean is large against its
spread. So each update centres its own bins, and two sets of sums merge by Chan, Golub & LeVeque (1983), which is also
how sums of several workers or devices come together.
"""

import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from regact.errors import ShapeError
from regact.shapes import check_shape

# A spread below this share of the mean is rounding of a constant: float32 values that differ at all differ by 6e-8.
_RELATIVE_SPREAD_OF_A_CONSTANT = 1e-12


@dataclass
class TrackSums:
    """Centred sums of predictions and measured values, one entry a track, over the bins given so far.

    Attributes:
        count: Number of unmasked bins, the same for all tracks.
        mean_prediction: Mean of the predictions, float64 `(track,)` on the CPU, as all below.
        mean_target: Mean of the measured values.
        ss_prediction: Sum of squared deviations of the predictions from their mean.
        ss_target: Sum of squared deviations of the measured values from their mean (SST).
        co_moment: Sum of products of both deviations.
        ss_error: Sum of squared differences between prediction and measured value (SSE).
    """

    n_tracks: int
    count: int = 0
    mean_prediction: Float[Tensor, "track"] = field(init=False)
    mean_target: Float[Tensor, "track"] = field(init=False)
    ss_prediction: Float[Tensor, "track"] = field(init=False)
    ss_target: Float[Tensor, "track"] = field(init=False)
    co_moment: Float[Tensor, "track"] = field(init=False)
    ss_error: Float[Tensor, "track"] = field(init=False)

    def __post_init__(self) -> None:
        for name in ("mean_prediction", "mean_target", "ss_prediction", "ss_target", "co_moment", "ss_error"):
            setattr(self, name, torch.zeros(self.n_tracks, dtype=torch.float64))

    def update(
        self,
        prediction: Float[Tensor, "batch track bin"],
        target: Float[Tensor, "batch track bin"],
        mask: Bool[Tensor, "batch bin"] | None = None,
    ) -> None:
        """Add the bins where `mask` is true (all without one). Both tensors in the same unit, on one device.

        Raises: ShapeError where shapes differ (they would broadcast silently).
        """
        batch, _, bins = prediction.shape
        check_shape(prediction, "batch track bin", name="prediction", track=self.n_tracks)
        if target.shape != prediction.shape:
            raise ShapeError(f"target has shape {tuple(target.shape)}; needed {tuple(prediction.shape)}")
        if mask is not None:
            check_shape(mask, "batch bin", name="mask", batch=batch, bin=bins)
        self.merge(_sums_of(_unmasked(prediction, mask), _unmasked(target, mask)))

    def merge(self, other: "TrackSums") -> None:
        """Add the bins of `other`, as if its updates had been made here."""
        if other.n_tracks != self.n_tracks:
            raise ShapeError(f"sums over {other.n_tracks} tracks; needed {self.n_tracks}")
        total = self.count + other.count
        if other.count == 0:
            return
        share = other.count / total
        weight = self.count * share  # count_a count_b / (count_a + count_b)
        step_prediction = other.mean_prediction - self.mean_prediction
        step_target = other.mean_target - self.mean_target
        self.ss_prediction = self.ss_prediction + other.ss_prediction + weight * step_prediction.square()
        self.ss_target = self.ss_target + other.ss_target + weight * step_target.square()
        self.co_moment = self.co_moment + other.co_moment + weight * step_prediction * step_target
        self.ss_error = self.ss_error + other.ss_error
        self.mean_prediction = self.mean_prediction + share * step_prediction
        self.mean_target = self.mean_target + share * step_target
        self.count = total

    def varies(self) -> Bool[Tensor, "track"]:
        """True for tracks whose measured values are not all the same: the only ones that can be judged."""
        return ~_is_constant(self.ss_target, self.mean_target, self.count)

    def pearson(self) -> Float[Tensor, "track"]:
        """Pearson correlation per track, float64; NaN for a track that does not vary.

        A constant *prediction* of a track that varies has explained nothing and counts as 0, so that it cannot raise
        the mean over tracks by dropping out of it.
        """
        flat = _is_constant(self.ss_prediction, self.mean_prediction, self.count)
        correlation = self.co_moment / (self.ss_prediction.sqrt() * self.ss_target.sqrt())
        correlation = torch.where(flat, 0.0, correlation.clamp(-1.0, 1.0))
        return torch.where(self.varies(), correlation, torch.nan)

    def r2(self) -> Float[Tensor, "track"]:
        """1 - SSE / SST per track, float64, below 0 where the track's own mean predicts better; NaN as in `pearson`."""
        return torch.where(self.varies(), 1.0 - self.ss_error / self.ss_target, torch.nan)


@dataclass
class AccuracySums:
    """The sums that a run is judged by: of counts as they are, and of log(1 + count)."""

    n_tracks: int
    raw: TrackSums = field(init=False)
    log1p: TrackSums = field(init=False)

    def __post_init__(self) -> None:
        self.raw, self.log1p = TrackSums(self.n_tracks), TrackSums(self.n_tracks)

    def update(
        self,
        rate: Float[Tensor, "batch track bin"],
        counts: Float[Tensor, "batch track bin"],
        mask: Bool[Tensor, "batch bin"] | None = None,
    ) -> None:
        """Add expected and measured counts (both >= 0) of the bins where `mask` is true."""
        self.raw.update(rate, counts, mask)
        self.log1p.update(torch.log1p(rate), torch.log1p(counts), mask)

    def merge(self, other: "AccuracySums") -> None:
        """Add the bins of `other`."""
        self.raw.merge(other.raw)
        self.log1p.merge(other.log1p)


def mean_over_tracks(per_track: Float[Tensor, "track"]) -> float:
    """Mean over the tracks that can be judged (NaN left out); NaN where none can."""
    judged = per_track[~per_track.isnan()]
    return float(judged.mean()) if len(judged) else math.nan


def _unmasked(values: Float[Tensor, "batch track bin"], mask: Bool[Tensor, "batch bin"] | None) -> Tensor:
    """The unmasked bins as float64 `(track, unmasked bin)`."""
    if values.device.type == "mps":  # Apple's GPUs have no float64
        values, mask = values.cpu(), None if mask is None else mask.cpu()
    by_track = values.transpose(0, 1).flatten(start_dim=1)
    if mask is not None:
        by_track = by_track[:, mask.flatten()]
    return by_track.double()


def _sums_of(prediction: Float[Tensor, "track bin"], target: Float[Tensor, "track bin"]) -> TrackSums:
    """Sums of one update, centred on its own means; results leave the device in one copy."""
    n_tracks, count = prediction.shape
    sums = TrackSums(n_tracks, count)
    if count == 0:
        return sums
    mean_prediction, mean_target = prediction.mean(dim=1), target.mean(dim=1)
    error = prediction - target
    from_mean_prediction = prediction - mean_prediction[:, None]
    from_mean_target = target - mean_target[:, None]
    moments = torch.stack(
        [
            mean_prediction,
            mean_target,
            _dot(from_mean_prediction, from_mean_prediction),
            _dot(from_mean_target, from_mean_target),
            _dot(from_mean_prediction, from_mean_target),
            _dot(error, error),
        ]
    ).cpu()
    sums.mean_prediction, sums.mean_target, sums.ss_prediction, sums.ss_target, sums.co_moment, sums.ss_error = moments
    return sums


def _dot(a: Float[Tensor, "track bin"], b: Float[Tensor, "track bin"]) -> Float[Tensor, "track"]:
    return torch.linalg.vecdot(a, b)


def _is_constant(sum_of_squares: Tensor, mean: Tensor, count: int) -> Bool[Tensor, "track"]:
    return sum_of_squares <= count * (_RELATIVE_SPREAD_OF_A_CONSTANT * mean).square()
