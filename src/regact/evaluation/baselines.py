"""The floor beside every accuracy: a ridge regression on the 4-mers of a bin and its two neighbours.

Whatever a network adds to composition and short motifs must show above it. Per track, fitted on log(1 + count); the
penalty is the one of a few that predicts the validation split best.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Float64, Int64, UInt8
from torch import Tensor

from regact.dataset import Store
from regact.engine import progress
from regact.errors import DataError
from regact.evaluation.accuracy import Accuracy
from regact.genome import Genome, Interval
from regact.metrics import AccuracySums, mean_over_tracks
from regact.training import accuracy_table

NAME = "4-mer ridge"  # in tables and figures
K = 4
PENALTIES = (0.01, 0.1, 1.0, 10.0)  # per bin of the training data, on standardised features
MAX_WINDOWS = 2_000  # more of them change 769 weights no further

_Pair = tuple[Float[Tensor, "track unmasked"], Float[Tensor, "track unmasked"]]  # predicted, measured
ObserveWindow = Callable[[int, Bool[Tensor, "bin"], _Pair, _Pair], None]


@dataclass(frozen=True)
class KmerRidge:
    """The fitted regression: log(1 + count) = offset + features @ weights, one column a track."""

    weights: Float64[np.ndarray, "feature track"]
    offset: Float64[np.ndarray, "track"]
    penalty: float

    def predict(self, features: Float32[np.ndarray, "bin feature"]) -> Float64[np.ndarray, "bin track"]:
        """Predicted log(1 + count)."""
        return features @ self.weights + self.offset


def kmer_counts(codes: UInt8[np.ndarray, "position"], bin_bp: int, k: int = K) -> Float32[np.ndarray, "bin kmer"]:
    """How often each k-mer starts in each whole bin of `codes`; k-mers with an N count nowhere.

    Columns are in alphabetical order of the k-mers. The last k - 1 positions start none, for their k-mers end beyond.
    """
    n_bins, n_kmers = len(codes) // bin_bp, 4**k
    starts = len(codes) - k + 1
    index = np.zeros(starts, dtype=np.int64)
    known = np.ones(starts, dtype=bool)
    for i in range(k):
        base = codes[i : i + starts]
        index = 4 * index + base
        known &= base < 4
    place = np.arange(starts) // bin_bp
    known &= place < n_bins
    counts = np.bincount(place[known] * n_kmers + index[known], minlength=n_bins * n_kmers)
    return counts.reshape(n_bins, n_kmers).astype(np.float32)


def mirrored_features(k: int = K) -> Int64[np.ndarray, "feature"]:
    """For each feature of a bin (left neighbour, bin, right neighbour) the one that it is on the other strand."""
    n_kmers = 4**k
    rest, complement = np.arange(n_kmers), np.zeros(n_kmers, dtype=np.int64)
    for _ in range(k):
        complement = 4 * complement + 3 - rest % 4
        rest //= 4
    return np.concatenate([place * n_kmers + complement for place in (2, 1, 0)])


def fit_kmer_ridge(store: Store, genome: Genome, *, max_windows: int = MAX_WINDOWS) -> KmerRidge:
    """Fit on the training split (evenly spaced windows of it where there are more than `max_windows`), both strands.

    Raises: DataError where the split has no unmasked bin.
    """
    moments = _Moments.of(_examples(store, genome, _some(store.rows("train"), max_windows), "ridge: train"))
    if moments.count == 0:
        raise DataError(store.path, "no unmasked bin in split train", "at least one")
    moments = moments.both_strands(store.sheet.strand_pair)
    candidates = [moments.solve(penalty) for penalty in PENALTIES]
    try:
        rows = _some(store.rows("valid"), max_windows)
    except DataError:  # no validation split: nothing to choose by
        return candidates[len(candidates) // 2]
    scores = [mean_over_tracks(sums.log1p.pearson()) for sums in _judge(candidates, store, genome, rows, "valid")]
    return candidates[int(np.nanargmax(scores)) if not np.isnan(scores).all() else 0]


def evaluate_kmer_ridge(
    ridge: KmerRidge, store: Store, genome: Genome, *, split: str, observe: ObserveWindow | None = None
) -> Accuracy:
    """Judge the regression on a split, over all unmasked bins of all windows, as `evaluate` judges a run.

    `observe` is called with each window, its mask, and what is predicted and measured in its unmasked bins on either
    scale.
    """
    rows = store.rows(split)
    sums = _judge([ridge], store, genome, rows, split, observe)[0]
    return Accuracy(
        predictor=NAME,
        split=split,
        ensemble=False,
        loss=math.nan,
        n_windows=len(rows),
        n_bins=sums.raw.count,
        tracks=accuracy_table(sums, store.sheet, split),
    )


def predict_kmer_ridge(
    ridge: KmerRidge, store: Store, genome: Genome, rows: Int64[np.ndarray, "row"]
) -> Float64[np.ndarray, "row track bin"]:
    """Counts that the regression expects in some windows of the store, 0 at least."""
    log1p = [ridge.predict(_features(genome, store.window(int(row)), store)).T for row in rows]
    return np.maximum(np.expm1(np.stack(log1p)), 0)


def _judge(
    ridges: Sequence[KmerRidge],
    store: Store,
    genome: Genome,
    rows: Int64[np.ndarray, "row"],
    split: str,
    observe: ObserveWindow | None = None,
) -> list[AccuracySums]:
    sums = [AccuracySums(store.n_tracks) for _ in ridges]
    for row, (features, counts) in zip(rows, _examples(store, genome, rows, f"ridge: {split}"), strict=True):
        measured = _as_batch(counts)
        for ridge, one in zip(ridges, sums, strict=True):
            predicted = _as_batch(ridge.predict(features))
            raw = torch.expm1(predicted).clamp(min=0), measured
            log1p = predicted, torch.log1p(measured)  # the regression's own scale, not clamped
            one.raw.update(*raw)
            one.log1p.update(*log1p)
            if observe:
                mask = torch.from_numpy(store.read_mask(int(row)))
                observe(int(row), mask, (raw[0][0], raw[1][0]), (log1p[0][0], log1p[1][0]))
    return sums


def _as_batch(values: np.ndarray) -> Tensor:
    """`(bin, track)` as the `(1, track, bin)` that metrics take."""
    return torch.from_numpy(np.ascontiguousarray(values.T, dtype=np.float64))[None]


def _examples(
    store: Store, genome: Genome, rows: Int64[np.ndarray, "row"], label: str
) -> Iterator[tuple[Float32[np.ndarray, "bin feature"], Float32[np.ndarray, "bin track"]]]:
    """Features and counts of the unmasked bins of each window."""
    with progress(label, len(rows), unit="windows") as bar:
        for row in rows:
            targets, mask = store.read([int(row)])
            features = _features(genome, store.window(int(row)), store)
            yield features[mask[0]], targets[0][mask[0]].astype(np.float32)
            bar.advance()


def _features(genome: Genome, window: Interval, store: Store) -> Float32[np.ndarray, "bin feature"]:
    """4-mer counts of the bin to the left, of the bin, and of the bin to the right, for each bin of the target."""
    bin_bp, crop_bp = store.bin_bp, store.crop_bins * store.bin_bp
    around = Interval(window.chrom, window.start + crop_bp - bin_bp, window.end - crop_bp + bin_bp + K - 1)
    counts = kmer_counts(genome.fetch(around), bin_bp)
    return np.concatenate([counts[:-2], counts[1:-1], counts[2:]], axis=1)


def _some(rows: Int64[np.ndarray, "row"], most: int) -> Int64[np.ndarray, "row"]:
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(np.int64))]


@dataclass
class _Moments:
    """Sums over bins from which any penalty's solution follows; counts are small whole numbers, so float64 is exact."""

    count: int
    sum_x: Float64[np.ndarray, "feature"]
    sum_y: Float64[np.ndarray, "track"]
    xx: Float64[np.ndarray, "feature feature"]
    xy: Float64[np.ndarray, "feature track"]

    @classmethod
    def of(cls, examples: Iterator[tuple[np.ndarray, np.ndarray]]) -> "_Moments":
        moments: _Moments | None = None
        for features, counts in examples:
            x, y = features.astype(np.float64), np.log1p(counts.astype(np.float64))
            if moments is None:
                n_features, n_tracks = x.shape[1], y.shape[1]
                empty = np.zeros((n_features, n_features)), np.zeros((n_features, n_tracks))
                moments = cls(0, np.zeros(n_features), np.zeros(n_tracks), *empty)
            moments.count += len(x)
            moments.sum_x += x.sum(axis=0)
            moments.sum_y += y.sum(axis=0)
            moments.xx += x.T @ x
            moments.xy += x.T @ y
        if moments is None:
            raise ValueError("no windows")
        return moments

    def both_strands(self, strand_pair: Int64[np.ndarray, "track"]) -> "_Moments":
        """These bins and, as many again, the same read from the other strand, with the values of the strand pairs.

        K-mers across a bin's end are taken to start in the same bin on both strands.
        """
        mirror = mirrored_features()
        return _Moments(
            2 * self.count,
            self.sum_x + self.sum_x[mirror],
            self.sum_y + self.sum_y[strand_pair],
            self.xx + self.xx[np.ix_(mirror, mirror)],
            self.xy + self.xy[np.ix_(mirror, strand_pair)],
        )

    def solve(self, penalty: float) -> KmerRidge:
        """The ridge solution on standardised features, written for features as they are."""
        mean_x, mean_y = self.sum_x / self.count, self.sum_y / self.count
        covariance = self.xx / self.count - np.outer(mean_x, mean_x)
        scale = np.sqrt(np.maximum(np.diag(covariance), 0))
        scale = np.where(scale > 0, scale, 1.0)  # a k-mer that never varies gets no weight whatever its scale
        correlation = covariance / np.outer(scale, scale)
        target = (self.xy / self.count - np.outer(mean_x, mean_y)) / scale[:, None]
        solved = np.linalg.solve(correlation + penalty * np.eye(len(scale)), target)
        weights = solved / scale[:, None]
        return KmerRidge(weights, mean_y - mean_x @ weights, penalty)
