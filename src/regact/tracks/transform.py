"""From pooled coverage to the stored value and back, in a fixed order that is versioned with the store."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from regact.errors import DataError

TRANSFORM_VERSION = 1
"""Goes up whenever the same sheet and signals would give other stored values.

Version 1, in this order: (1) no data (NaN) counts as 0, replicates are summed; (2) blacklisted bases are clipped to
plus or minus the window's baseline (`tracks/binned.py`); (3) bases are pooled in bins, in float64; (4) times `scale`
and the depth factor; (5) `sum_stat`'s function; (6) soft clip; (7) hard clip; (8) float32. Basenji multiplies before it
pools, which is the same for sums and, as (3) pools the negated bases where the factor is negative, for maxima.
"""

SUM_STATS = ("sum", "mean", "max", "sum_sqrt", "sum_exp75")
FLOAT16_MAX = 65504.0


@dataclass(frozen=True)
class TrackTransform:
    """The steps 4 to 7 of one track, each with its inverse.

    Attributes:
        sum_stat: One of `SUM_STATS`.
        bin_bp: Bases a bin, for `mean`.
        scale: The sheet's factor on coverage, not 0.
        depth_factor: Factor > 0 that brings the track to a common depth; kept apart from `scale` so that it can be
            undone alone.
        clip_soft: Value above which x becomes c - 1 + sqrt(x - c + 1); None = nowhere.
        clip: Limit c, the result lies in [-c, c]; None = no limit.

    Source of the formulas: Basenji's `basenji_data_read.py`, and baskerville for `sum_exp75`.
    """

    sum_stat: str
    bin_bp: int
    scale: float = 1.0
    depth_factor: float = 1.0
    clip_soft: float | None = None
    clip: float | None = None

    def __post_init__(self) -> None:
        if self.sum_stat not in SUM_STATS:
            raise ValueError(f"sum_stat is {self.sum_stat!r}; needed one of {SUM_STATS}")
        if self.bin_bp < 1 or self.depth_factor <= 0 or self.scale == 0:
            raise ValueError(f"needed bin_bp >= 1, depth_factor > 0 and scale other than 0: {self}")
        if any(limit is not None and limit <= 0 for limit in (self.clip, self.clip_soft)):
            raise ValueError(f"needed clip and clip_soft > 0: {self}")

    @property
    def factor(self) -> float:
        """What pooled coverage is multiplied by: `scale` times the depth factor."""
        return self.scale * self.depth_factor

    @property
    def pools_maximum(self) -> bool:
        """Whether a bin's pooled coverage is its maximum (`sum_stat` max) and not its sum."""
        return self.sum_stat == "max"

    def forward(self, pooled: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        """The stored value of pooled coverage, float64.

        `pooled` holds each bin's sum of coverage (its maximum for `sum_stat` max; its minimum where the factor is
        negative as well), such that `pooled * factor` is >= 0. For x = pooled * factor:
        sum and max: x; mean: x / bin_bp; sum_sqrt: sqrt(1 + x) - 1; sum_exp75: (1 + x)**0.75 - 1.

        Raises: ValueError where `pooled * factor` is below 0.
        """
        x = np.asarray(pooled, dtype=np.float64) * self.factor
        if x.min(initial=0.0) < 0:
            raise ValueError("pooled coverage times the factor must be >= 0")
        y = _summary(x, self.sum_stat, self.bin_bp)
        if self.clip_soft is not None and y.max(initial=0.0) > self.clip_soft:
            # Basenji's soft clip: continuous at c, where it gives c, with slope 1/2 there.
            over = np.maximum(y - self.clip_soft, 0.0)
            y = np.where(over > 0, self.clip_soft - 1 + np.sqrt(over + 1), y)
        return y if self.clip is None else np.minimum(y, self.clip)

    def inverse(
        self, values: Float[np.ndarray, "*shape"]
    ) -> tuple[Float[np.ndarray, "*shape"], Bool[np.ndarray, "*shape"]]:
        """Pooled coverage in float64, and where it is only a lower bound: at or above the hard clip.

        `values` are stored values or a model's rates, >= 0. A value above the clip counts as the clip. The flag is set
        from the clip as float16 holds it, since that is what a store gives back.

        Raises: ValueError where a value is below 0.
        """
        y = np.asarray(values, dtype=np.float64)
        if (y < 0).any():
            raise ValueError("values to turn back must be >= 0")
        saturated = np.zeros(y.shape, dtype=np.bool_)
        if self.clip is not None:
            saturated = y >= min(self.clip, float(np.float16(min(self.clip, FLOAT16_MAX))))
            y = np.minimum(y, self.clip)
        if self.clip_soft is not None:
            over = np.maximum(y - self.clip_soft, 0.0)
            y = np.where(over > 0, (over + 1) ** 2 + self.clip_soft - 1, y)
        return _summary_inverse(y, self.sum_stat, self.bin_bp) / self.factor, saturated


def depth_factors(
    totals: Sequence[float] | Float[np.ndarray, "track"],
    strand_pair: Int[np.ndarray, "track"],
    common_total: float,
    *,
    names: Sequence[str] | None = None,
) -> Float[np.ndarray, "track"]:
    """The factor of each track that brings its genome-wide total to `common_total`; both strands share one.

    factor = common_total / total, where the total of a stranded track is the sum over both strands, so that the
    balance between strands stays as measured (each pair then adds up to `common_total`).

    Args:
        totals: Scaled coverage summed over the genome, per track (`tracks/binned.py` `track_total`).
        strand_pair: Position of the other strand, the track's own without strand.
        common_total: The total wanted, > 0, in the unit of the totals (reads, where scaled coverage counts reads).
        names: Identifiers for the error message.

    Raises: DataError naming every track without signal.
    """
    if not common_total > 0:
        raise ValueError(f"common_total is {common_total}; needed > 0")
    total = np.asarray(totals, dtype=np.float64)
    pair = np.asarray(strand_pair)
    both = np.where(pair == np.arange(len(total)), total, total + total[pair])
    empty = np.flatnonzero(~(both > 0))
    if empty.size:
        labels = [names[row] if names is not None else f"track {row}" for row in empty.tolist()]
        raise DataError(
            ", ".join(labels),
            "the coverage adds up to 0 or less over the genome",
            "a total > 0 to scale to a common depth",
            "leave the track out or check its file",
        )
    return common_total / both


def _summary(x: Float[np.ndarray, "*shape"], sum_stat: str, bin_bp: int) -> Float[np.ndarray, "*shape"]:
    if sum_stat == "mean":
        return x / bin_bp
    if sum_stat == "sum_sqrt":
        return x / (np.sqrt(1 + x) + 1)  # sqrt(1 + x) - 1 without its cancellation at small x
    if sum_stat == "sum_exp75":
        return np.expm1(0.75 * np.log1p(x))
    return x


def _summary_inverse(y: Float[np.ndarray, "*shape"], sum_stat: str, bin_bp: int) -> Float[np.ndarray, "*shape"]:
    if sum_stat == "mean":
        return y * bin_bp
    if sum_stat == "sum_sqrt":
        return y * (y + 2)
    if sum_stat == "sum_exp75":
        # The inverse of a power of 0.75 is 4/3; Basenji's variant scores use it on sum_sqrt as well, where it is wrong.
        return np.expm1(4 / 3 * np.log1p(y))
    return y
