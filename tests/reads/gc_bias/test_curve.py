import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from regact.errors import DataError
from regact.reads.gc_bias.curve import RIDGE, ROUGHNESS, _basis, fit_log_rate

X = (np.arange(200) + 0.5) / 200


def test_a_constant_rate_is_found_to_the_last_digits():
    exposure = np.where((X > 0.2) & (X < 0.7), 1000.0, 0.0)
    np.testing.assert_allclose(fit_log_rate(X, exposure, 0.03 * exposure, low=0.2, high=0.7), np.log(0.03), rtol=1e-12)


@pytest.mark.parametrize("slope", [-12, 4])
def test_an_exponential_rate_is_a_straight_line_which_costs_nothing(slope):
    exposure = np.where((X > 0.2) & (X < 0.7), 1e6, 0.0)
    rate = 0.01 * np.exp(slope * (X - 0.45))
    log_rate = fit_log_rate(X, exposure, rate * exposure, low=0.2, high=0.7)
    inside = exposure > 0
    np.testing.assert_allclose(log_rate[inside], np.log(rate[inside]), atol=1e-4)
    # Constant beyond the range, where nothing is known.
    assert np.ptp(log_rate[X < 0.2]) == np.ptp(log_rate[X > 0.7]) == 0


def test_a_hump_is_followed_within_noise():
    rng = np.random.default_rng(1)
    exposure = 2e6 * np.exp(-(((X - 0.42) / 0.07) ** 2) / 2)
    log_rate = -4 - ((X - 0.5) / 0.15) ** 2 / 2
    fitted = fit_log_rate(X, exposure, rng.poisson(exposure * np.exp(log_rate)), low=0.2, high=0.65)
    common = exposure > exposure.max() / 50
    assert np.abs(fitted - log_rate)[common].max() < 0.02


def test_maximises_the_penalised_likelihood():
    rng = np.random.default_rng(2)
    exposure = rng.integers(0, 400, 200).astype(float)
    counts = rng.poisson(exposure * 0.1 * np.exp(np.sin(6 * X)))
    level = np.log(counts.sum() / exposure.sum())
    basis = _basis(X)

    def loss(rise):
        log_rate = level + basis @ rise
        rough = np.diff(rise, n=2)
        return (
            np.sum(exposure * np.exp(log_rate) - counts * log_rate)
            + (ROUGHNESS * rough @ rough + RIDGE * len(rise) * rise.var()) / 2
        )

    best = minimize(loss, np.zeros(basis.shape[1]), method="BFGS", options={"gtol": 1e-7, "maxiter": 2000})
    fitted = fit_log_rate(X, exposure, counts, low=0.0, high=1.0)
    np.testing.assert_allclose(fitted, level + basis @ best.x, atol=1e-4)


@given(st.dictionaries(st.integers(0, 199), st.integers(1, 5000), min_size=1))
def test_the_total_is_kept(reads):
    exposure, counts = np.full(200, 300.0), np.zeros(200)
    counts[list(reads)] = list(reads.values())
    fitted = fit_log_rate(X, exposure, counts, low=0.1, high=0.9)
    assert (exposure * np.exp(fitted)).sum() == pytest.approx(counts.sum(), rel=1e-6)


def test_errors():
    with pytest.raises(ValueError, match="low < high"):
        fit_log_rate(X, np.ones(200), np.ones(200), low=0.5, high=0.5)
    with pytest.raises(DataError, match="0 reads on 200 bases"):
        fit_log_rate(X, np.ones(200), np.zeros(200), low=0.1, high=0.9)
