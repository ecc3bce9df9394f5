"""Where the heads of a distance function start."""

from collections.abc import Sequence
from typing import assert_never

import numpy as np

from regact.model.spec import DistanceName, DistanceSpec

EXPECTO_ALPHAS = (0.01, 0.02, 0.05, 0.1, 0.2)  # per bin; section 2.2 of the paper
LOWEST_PEAK, HIGHEST_PEAK = 0.1, 0.6


def distance_start(
    kind: DistanceName,
    heads: int,
    *,
    half_window_bins: float,
    alphas: Sequence[float] | None = None,
    alpha_scale: float = 1.0,
    seed: int | Sequence[int] = 0,
) -> DistanceSpec:
    """The distance function `kind` with a start for each head; no two heads start alike, or they would stay alike.

    Decays start at `alphas`, else at the paper's five constants, else (another number of heads) at as many values in
    the same range, evenly spaced in their logarithm.

    Two-sided peaks are spread over the window, one in each of `heads` equal parts of (-1, 1) and placed in its inner
    half by `seed`, so that both sides are covered for any seed; heights are spread over 0.1-0.6, dealt out by `seed`.
    Usual alphas would not do: 0.02 either side makes a peak of height 3.6e-5 in a window of 1,024 bins, a dead head.

    `alpha_scale` multiplies every alpha. Of a two-sided peak it leaves the place and takes the height to that power.
    """
    match kind:
        case "none":
            return DistanceSpec()
        case "constant" | "variable":
            return DistanceSpec(kind=kind, alphas=tuple(alpha_scale * alpha for alpha in alphas or _decays(heads)))
        case "two_sided":
            random = np.random.default_rng(seed)
            parts = np.arange(heads) + 0.5 + random.uniform(-0.25, 0.25, heads)
            heights = random.permutation(LOWEST_PEAK + (HIGHEST_PEAK - LOWEST_PEAK) * (np.arange(heads) + 0.5) / heads)
            return DistanceSpec(
                kind=kind,
                peaks=tuple(float(p) for p in (2 * parts / heads - 1).round(6)),
                heights=tuple(float(h) for h in heights.round(6) ** alpha_scale),
                half_window_bins=half_window_bins,
            )
        case _:
            assert_never(kind)


def _decays(heads: int) -> tuple[float, ...]:
    if heads == len(EXPECTO_ALPHAS):
        return EXPECTO_ALPHAS
    spread = np.geomspace(EXPECTO_ALPHAS[0], EXPECTO_ALPHAS[-1], heads) if heads > 1 else [EXPECTO_ALPHAS[1]]
    return tuple(float(f"{alpha:.6g}") for alpha in spread)
