"""Intervals, p values and their correction against closed forms and another program's."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from regact.evaluation import Estimate, Resamples, holm


def resamples(values, blocks, *, draws=20_000, seed=0):
    """A number that is the mean over blocks plus what each seed adds: everything about it is known."""
    random = np.random.default_rng(seed)
    weights = random.multinomial(len(blocks), np.full(len(blocks), 1 / len(blocks)), draws) / len(blocks)
    drawn = np.asarray(values)[:, None] + (weights @ blocks)[None]
    return Resamples.over_seeds(np.asarray(values) + np.mean(blocks), drawn, len(blocks), random)


def test_one_seed_has_the_interval_of_a_mean_over_blocks():
    blocks = np.random.default_rng(1).normal(3.0, 1.0, 200)
    found = resamples([0.0], blocks).estimate()
    error = blocks.std() / math.sqrt(200)
    assert found.value == pytest.approx(blocks.mean())
    assert (found.low, found.high) == pytest.approx(
        stats.t.interval(0.95, 199, loc=found.value, scale=error), abs=0.03 * error
    )


def test_seeds_alone_have_the_variance_of_a_mean_over_seeds():
    values = np.array([0.50, 0.53, 0.55, 0.49, 0.56, 0.51, 0.52, 0.58])
    found = resamples(values, np.zeros(30)).estimate()
    low, high = stats.t.interval(0.95, 7, loc=values.mean(), scale=values.std(ddof=1) / math.sqrt(8))
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.002)
    assert found.p == pytest.approx(stats.ttest_1samp(values, 0).pvalue, rel=1e-6)


def test_a_difference_between_models_is_paired_by_blocks():
    """Blocks move both models alike, and so not their difference."""
    blocks = np.random.default_rng(2).normal(0.5, 0.3, 40)
    better, worse = resamples([0.04], blocks), resamples([0.01], blocks)
    found = (better - worse).estimate()
    assert found.value == pytest.approx(0.03)
    assert (found.low, found.high) == pytest.approx((0.03, 0.03), abs=1e-9)
    assert found.excludes_zero
    assert not better.estimate().value - worse.estimate().value > better.estimate().high - better.estimate().low
    back = (worse - better).estimate()
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low))
    assert not (better - better).estimate().excludes_zero
    assert (better - better).estimate().p == 1


def test_seeds_of_two_models_are_held_to_fewer_degrees_of_freedom_than_welchs_test():
    first, second = np.array([0.60, 0.62, 0.61, 0.65, 0.58]), np.array([0.55, 0.50, 0.61, 0.52])
    found = (resamples(first, np.zeros(25)) - resamples(second, np.zeros(25), seed=1)).estimate()
    variances = first.var(ddof=1) / 5, second.var(ddof=1) / 4
    freedom = sum(variances) / (variances[0] / 4 + variances[1] / 3)
    by_hand = first.mean() - second.mean()
    assert found.value == pytest.approx(by_hand)
    assert found.p == pytest.approx(2 * stats.t.sf(by_hand / math.sqrt(sum(variances)), freedom), rel=1e-6)
    welch = stats.ttest_ind(first, second, equal_var=False)
    assert welch.pvalue < found.p < 2 * welch.pvalue
    low, high = stats.t.interval(0.95, freedom, loc=by_hand, scale=math.sqrt(sum(variances)))
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.012)


def test_what_blocks_explain_is_not_counted_as_seeds_again():
    """Seeds that are right in other blocks differ on the split by chance, though no seed is better than another."""
    random = np.random.default_rng(5)
    blocks = random.normal(0.5, 0.2, (3, 60))  # each seed has blocks of its own
    weights = random.multinomial(60, np.full(60, 1 / 60), 4_000) / 60
    found = Resamples.over_seeds(blocks.mean(axis=1), blocks @ weights.T, 60, random).estimate()
    error = blocks.mean(axis=0).std() / math.sqrt(60)
    assert 2 * 1.96 * error < found.high - found.low < 2 * stats.t.ppf(0.975, 2.5) * error
    draws_again = Resamples.over_seeds(blocks.mean(axis=1), blocks @ weights.T, 60, random).by_seed
    assert draws_again.std() < 0.5 * blocks.mean(axis=1).std()


def test_too_few_blocks_and_numbers_that_are_not_there_have_no_interval():
    alone = Resamples.over_seeds(np.array([0.5, 0.7]), np.empty((2, 0)), 7, np.random.default_rng(0)).estimate()
    assert alone.value == pytest.approx(0.6)
    assert np.isnan([alone.low, alone.high, alone.p]).all()
    assert not alone.excludes_zero
    missing = Resamples.over_seeds(np.array([math.nan]), np.zeros((1, 100)), 30, np.random.default_rng(0)).estimate()
    assert np.isnan([missing.value, missing.low]).all()


def test_draws_in_which_nothing_can_be_judged_are_left_out():
    blocks = np.random.default_rng(1).normal(3.0, 1.0, 50)
    whole = resamples([0.0], blocks)
    some = Resamples(whole.value, np.where(np.arange(20_000) % 100 == 0, np.nan, whole.by_block), whole.by_seed, 50)
    assert some.estimate().low == pytest.approx(whole.estimate().low, abs=0.01)


def test_an_interval_that_touches_0_does_not_exclude_it():
    assert Estimate(1.0, 0.1, 2.0).excludes_zero
    assert Estimate(-1.0, -2.0, -0.1).excludes_zero
    assert not Estimate(1.0, 0.0, 2.0).excludes_zero


def test_holm_by_hand():
    """The example of R's `p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")`."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    with_nan = holm([0.01, math.nan, 0.04, 0.03, 0.005])
    assert math.isnan(with_nan[1])
    assert with_nan[:1] + with_nan[2:] == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_holm_lies_between_nothing_and_bonferroni(p_values):
    corrected = holm(p_values)
    for p, q in zip(p_values, corrected, strict=True):
        assert p <= q <= min(1, len(p_values) * p) + 1e-12
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(np.array(corrected)[order]) >= 0).all()
    assert min(corrected) == pytest.approx(min(1, len(p_values) * min(p_values)))
