"""What values each track of a store holds: sums, extremes and a histogram per track, gathered window by window.

A float16 needs no search for its bin: its upper nine bits (sign, exponent, three of the mantissa) are the number of a
bin, 8 to each doubling over the whole range.
"""

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float16, Float64, Int64

from regact.dataset.store import Store

DROPPED_BITS = 7
N_BINS = 2**16 >> DROPPED_BITS
ZERO_BIN = N_BINS // 2  # holds 0 and what lies below 8e-6
# Bins by value: the negative ones count backwards from the sign bit.
_BY_VALUE = np.concatenate([np.arange(N_BINS - 1, ZERO_BIN - 1, -1), np.arange(ZERO_BIN)])


def bin_edges() -> Float64[np.ndarray, " bin+1"]:
    """The bins' limits, ascending; the bins that hold inf and NaN lie between infinite limits."""
    positive = (np.arange(ZERO_BIN, dtype=np.uint16) << DROPPED_BITS).view(np.float16).astype(np.float64)
    positive[np.isnan(positive)] = np.inf
    upper = np.append(positive[1:], np.inf)
    return np.concatenate([-upper[::-1], positive, [np.inf]])


@dataclass(frozen=True)
class TrackValues:
    """Values of all tracks in unmasked bins of some windows.

    Attributes:
        n_bins: Unmasked bins.
        n_windows: Windows.
        silent_windows: Windows in which no track has a value other than 0 (masked bins count too).
        nonzero: Values that are not 0.
        non_finite: Values that are inf or NaN; they are in no sum or extreme.
        clipped: Values at the track's hard clip, to either side.
        total, squares: Sums of values and of their squares.
        minimum, maximum: Extremes, inf and -inf where there is no value.
        max_row, max_bin: Where the maximum first stands: row of the window table, bin of the target; -1 where nowhere.
        counts: The histogram, by `bin_edges`.
    """

    n_bins: int
    n_windows: int
    silent_windows: int
    nonzero: Int64[np.ndarray, " track"]
    non_finite: Int64[np.ndarray, " track"]
    clipped: Int64[np.ndarray, " track"]
    total: Float64[np.ndarray, " track"]
    squares: Float64[np.ndarray, " track"]
    minimum: Float64[np.ndarray, " track"]
    maximum: Float64[np.ndarray, " track"]
    max_row: Int64[np.ndarray, " track"]
    max_bin: Int64[np.ndarray, " track"]
    counts: Int64[np.ndarray, "track bin"]

    @property
    def mean(self) -> Float64[np.ndarray, " track"]:
        """Mean over finite values; NaN where there are none."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.total / (self.n_bins - self.non_finite)

    def quantile(self, q: float, *, nonzero: bool = False) -> Float64[np.ndarray, " track"]:
        """The q-quantile of finite values, or of those that are not 0; NaN where there are none.

        Of n values in order it is number floor(q n), at least the first: below q = 1 always one that another reaches.
        From the histogram: the upper edge of the bin that holds it, but no more than the maximum. So 0 is exact and the
        rest is within an eighth, a bin's width.
        """
        edges = bin_edges()
        finite = np.isfinite(edges[:-1]) & np.isfinite(edges[1:])
        if nonzero:
            finite[ZERO_BIN] = False
        reached = np.cumsum(self.counts * finite, axis=1)
        bins = np.argmax(reached >= np.maximum(1, np.floor(q * reached[:, -1:])), axis=1)
        values = np.where(bins == ZERO_BIN, 0.0, edges[bins + 1])
        return np.where(reached[:, -1] > 0, np.minimum(values, self.maximum), np.nan)

    def merge(self, other: "TrackValues") -> "TrackValues":
        """The values of both; where maxima are equal, the place of the lower row stays."""
        summed = {
            field.name: getattr(self, field.name) + getattr(other, field.name)
            for field in fields(self)
            if field.name not in ("minimum", "maximum", "max_row", "max_bin")
        }
        later = self.max_row > other.max_row
        theirs = (other.maximum > self.maximum) | ((other.maximum == self.maximum) & later & (other.max_row >= 0))
        return TrackValues(
            **summed,
            minimum=np.minimum(self.minimum, other.minimum),
            maximum=np.maximum(self.maximum, other.maximum),
            max_row=np.where(theirs, other.max_row, self.max_row),
            max_bin=np.where(theirs, other.max_bin, self.max_bin),
        )


def count_values(store: Store, rows: Int64[np.ndarray, " row"]) -> TrackValues:
    """The values of `rows`, read one window at a time."""
    sums = _no_values(store.n_tracks)
    clips = np.array([np.inf if record.clip is None else record.clip for record in store.header.tracks], np.float16)
    targets = np.empty((store.n_bins, store.n_tracks), np.float16)
    for row in rows.tolist():
        store.read_targets_into(row, targets)
        sums = sums.merge(_values_of_window(row, targets, store.read_mask(row), clips))
    return sums


def _no_values(n_tracks: int) -> TrackValues:
    zeros = np.zeros(n_tracks, np.int64)
    return TrackValues(
        n_bins=0,
        n_windows=0,
        silent_windows=0,
        nonzero=zeros,
        non_finite=zeros,
        clipped=zeros,
        total=np.zeros(n_tracks),
        squares=np.zeros(n_tracks),
        minimum=np.full(n_tracks, np.inf),
        maximum=np.full(n_tracks, -np.inf),
        max_row=zeros - 1,
        max_bin=zeros - 1,
        counts=np.zeros((n_tracks, N_BINS), np.int64),
    )


def _values_of_window(
    row: int,
    targets: Float16[np.ndarray, "bin track"],
    mask: Bool[np.ndarray, " bin"],
    clips: Float16[np.ndarray, " track"],
) -> TrackValues:
    unmasked = np.flatnonzero(mask)
    # Each track's values in a row: its histogram then stays in the nearest cache, which makes counting ten times
    # faster.
    values = np.ascontiguousarray(targets[unmasked].T)
    n_tracks, n_bins = values.shape
    finite = np.isfinite(values)
    exact = np.where(finite, values, 0).astype(np.float64)
    at_max, maximum = np.zeros(n_tracks, np.int64), np.full(n_tracks, -np.inf)
    minimum = np.full(n_tracks, np.inf)
    if n_bins:
        at_max = np.where(finite, values, -np.inf).argmax(axis=1)
        maximum = np.where(finite.any(axis=1), exact[np.arange(n_tracks), at_max], -np.inf)
        minimum = np.where(finite, values, np.inf).min(axis=1).astype(np.float64)
    somewhere = np.isfinite(maximum)
    return TrackValues(
        n_bins=n_bins,
        n_windows=1,
        silent_windows=int(not targets.any()),
        nonzero=np.count_nonzero(values, axis=1),
        non_finite=n_bins - np.count_nonzero(finite, axis=1),
        clipped=np.count_nonzero(np.abs(values) >= clips[:, None], axis=1) * np.isfinite(clips),
        total=exact.sum(axis=1),
        squares=np.einsum("tb,tb->t", exact, exact),
        minimum=minimum,
        maximum=maximum,
        max_row=np.where(somewhere, row, -1),
        max_bin=np.where(somewhere, unmasked[at_max], -1) if n_bins else at_max - 1,
        counts=_histogram(values),
    )


def _histogram(values: Float16[np.ndarray, "track value"]) -> Int64[np.ndarray, "track bin"]:
    n_tracks = len(values)
    flat = (values.view(np.uint16) >> DROPPED_BITS) + N_BINS * np.arange(n_tracks)[:, None]
    return np.bincount(flat.ravel(), minlength=N_BINS * n_tracks).reshape(n_tracks, N_BINS)[:, _BY_VALUE]
