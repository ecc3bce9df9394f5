"""Straight lines: exact where the world is straight."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from regact.planning.climb import Reading, Size
from regact.planning.forecast import forecast_memory, forecast_time, in_words, straight_line

numbers = st.floats(0.01, 1e3)


def reading(windows, *, seconds=1.0, ram=0, per_window=(1e9, 1e6)):
    macs, values = per_window
    size = Size(windows, 1024, windows * macs, windows * values)
    return Reading(size, seconds, seconds / 2, (seconds, seconds), ram, None)


@given(numbers, numbers, numbers, numbers, numbers)
def test_a_line_goes_through_both_points_and_on(intercept, slope, first, step, x):
    points = [(first, intercept + slope * first), (first + step, intercept + slope * (first + step))]
    assert straight_line(points, x) == pytest.approx(intercept + slope * x, rel=1e-6, abs=1e-3)


def test_one_point_is_in_proportion_and_itself():
    assert straight_line([(4.0, 10.0)], 8.0) == 20.0
    assert straight_line([(4.0, 10.0)], 4.0) == 10.0


def test_a_line_that_falls_is_none():
    # The first reading was slow, as first readings are.
    assert straight_line([(1.0, 9.0), (4.0, 8.0)], 8.0) == 16.0


@given(st.integers(1, 8), st.integers(2, 64), st.integers(1, 10**6), st.integers(10**8, 10**9))
def test_memory_of_a_size_that_was_not_tried(first, factor, per_value, fixed):
    tried = [reading(first, ram=fixed + per_value * first), reading(2 * first, ram=fixed + 2 * per_value * first)]
    wanted = reading(first * factor).size
    found = forecast_memory(tried, wanted, lambda one: one.ram_bytes, fixed)
    assert found == pytest.approx(fixed + per_value * first * factor, rel=1e-6, abs=2)
    alone = forecast_memory(tried[:1], wanted, lambda one: one.ram_bytes, fixed)
    assert alone == pytest.approx(found, rel=1e-6, abs=2)


@given(numbers)
def test_what_was_measured_is_not_extrapolated(seconds):
    assume(seconds > 0)
    tried = [reading(1, seconds=1, ram=7), reading(8, seconds=seconds, ram=100)]
    assert forecast_time(tried, tried[-1].size) == seconds
    assert forecast_memory(tried, tried[-1].size, lambda one: one.ram_bytes, 50) == 100
    assert forecast_memory(tried[1:], tried[-1].size, lambda one: one.ram_bytes, 500) == 100


def test_it_is_said_which_is_which():
    tried = [reading(1), reading(2)]
    assert in_words(tried, tried[1].size) == "measured at 2 windows of 1,024 bp"
    assert in_words(tried[:1], tried[1].size) == "extrapolated from 1 window of 1,024 bp to 2 windows of 1,024 bp"
