"""A smooth curve through counts: Poisson regression on penalised B-splines (Eilers & Marx 1996)."""

import numpy as np
from jaxtyping import Float, Float64
from scipy.interpolate import BSpline

from regact.errors import DataError

DEGREE = 3
INTERVALS = 12
# Second differences of neighbouring coefficients are expected to be about 1 / sqrt(100) = 0.1: 10 % in the rate. With a
# few hundred reads an interval the data overrule that; where there are fewer, the curve goes straight on.
ROUGHNESS = 100.0
# Keeps a curve flat where the data say nothing of its slope.
RIDGE = 1e-3
MAX_STEP = 2.0


def fit_log_rate(
    x: Float64[np.ndarray, " bin"],
    exposure: Float[np.ndarray, " bin"],
    counts: Float[np.ndarray, " bin"],
    *,
    low: float,
    high: float,
) -> Float64[np.ndarray, " bin"]:
    """Natural logarithm of the rate counts / exposure as a smooth function of `x`, at the given `x`.

    The penalised Poisson likelihood is maximised by Newton's method: sum of counts * f - exposure * exp(f) over bins,
    less half of ROUGHNESS x squared second differences of the spline's coefficients and RIDGE x their squared distance
    from their mean. Natural logarithms throughout.

    Args:
        exposure: Where it is 0 a bin says nothing.
        low, high: The curve is constant outside.

    Raises: ValueError unless low < high; DataError where no count or exposure is positive.
    """
    if not low < high:
        raise ValueError(f"the curve's range is {low} to {high}; needed low < high")
    if not (counts.sum() > 0 and exposure.sum() > 0):
        found = f"{counts.sum():g} reads on {exposure.sum():g} bases of the windows that tell it"
        raise DataError("GC bias", found, "more than 0 of both", "turn the correction off (gc: false)")
    basis = _basis((np.clip(x, low, high) - low) / (high - low))
    differences = np.diff(np.eye(basis.shape[1]), n=2, axis=0)
    # The level is free, which makes the expected reads as many as the counted ones.
    deviations = np.eye(basis.shape[1]) - 1 / basis.shape[1]
    penalty = ROUGHNESS * differences.T @ differences + RIDGE * deviations
    level = np.log(counts.sum() / exposure.sum())
    rise = np.zeros(basis.shape[1])
    for _ in range(100):
        expected = exposure * np.exp(level + basis @ rise)
        slope = basis.T @ (counts - expected) - penalty @ rise
        step = np.linalg.solve(basis.T @ (expected[:, None] * basis) + penalty, slope)
        # The exponential makes a long step overshoot.
        rise += np.clip(step, -MAX_STEP, MAX_STEP)
        if np.abs(step).max() < 1e-10:
            break
    return level + basis @ rise


def _basis(x: Float64[np.ndarray, " bin"]) -> Float64[np.ndarray, "bin coefficient"]:
    """Cubic B-splines on equal intervals of [0, 1]; a row adds up to 1."""
    knots = np.arange(-DEGREE, INTERVALS + DEGREE + 1) / INTERVALS
    return BSpline.design_matrix(x, knots, DEGREE).toarray()
