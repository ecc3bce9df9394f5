"""What a store says of each track over its unmasked bins, added up part by part in float64."""

import numpy as np
from jaxtyping import Bool, Float16, Float64

from regact.tracks.transform import FLOAT16_MAX

# Sum and sum of squares over the unmasked bins, their maximum, and how many are at the hard clip.
STATISTICS = ("sum", "squares", "max", "clipped")
_MAXIMUM = STATISTICS.index("max")


def sums_of_track(values: Float16[np.ndarray, "value"], clip: float | None) -> Float64[np.ndarray, "statistic"]:
    """The sums of one track's unmasked values."""
    x = values.astype(np.float64)
    clipped = 0 if clip is None else np.count_nonzero(values >= np.float16(min(clip, FLOAT16_MAX)))
    return np.array([x.sum(), x @ x, x.max(initial=0.0), clipped], dtype=np.float64)


def sums_of_window(
    targets: Float16[np.ndarray, "bin track"],
    mask: Bool[np.ndarray, " bin"],
    limits: Float16[np.ndarray, " track"],
) -> Float64[np.ndarray, "track statistic"]:
    """The sums of all tracks over one window's unmasked bins; `limits` holds their hard clips, inf for none."""
    values = targets[mask]
    x = values.astype(np.float64)
    clipped = np.count_nonzero((values >= limits) & np.isfinite(limits), axis=0)
    return np.stack([x.sum(axis=0), np.einsum("bt,bt->t", x, x), x.max(axis=0, initial=0.0), clipped], axis=1)


def merge_sums(
    a: Float64[np.ndarray, "track statistic"], b: Float64[np.ndarray, "track statistic"]
) -> Float64[np.ndarray, "track statistic"]:
    """The sums of both: all add up, except the maximum."""
    merged = a + b
    merged[:, _MAXIMUM] = np.maximum(a[:, _MAXIMUM], b[:, _MAXIMUM])
    return merged


def track_statistics(sums: Float64[np.ndarray, "track statistic"], n_bins: int) -> dict[str, np.ndarray]:
    """Mean, variance, max and clipped of each track over `n_bins` unmasked bins, as `finish_store` takes them."""
    mean = sums[:, 0] / max(1, n_bins)
    return {
        "mean": mean,
        "variance": np.maximum(sums[:, 1] / max(1, n_bins) - mean**2, 0.0),
        "max": sums[:, _MAXIMUM],
        "clipped": sums[:, 3].astype(np.int64),
    }
