"""Values and bases of a window, as the store keeps them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from regact.dataset.basenji.window import as_float16, codes_of_one_hot

NUMBERS = st.floats(width=32, min_value=-65_000, max_value=65_000)


@given(arrays(np.float32, (3, 4), elements=NUMBERS))
def test_rounding_is_as_small_as_it_is_said_to_be(values):
    kept, changed = as_float16(values)
    error = np.abs(kept.astype(np.float64) - values)
    assert (error <= np.maximum(5e-4 * np.abs(values), 3e-8)).all()
    np.testing.assert_array_equal(changed, error > 0)


def test_what_is_no_number_or_too_large_is_no_rounding():
    kept, changed = as_float16(np.array([np.nan, np.inf, -np.inf, 1e6, 2.0], np.float32))
    np.testing.assert_array_equal(kept, np.array([np.nan, np.inf, -np.inf, np.inf, 2], np.float16))
    assert not changed.any()


def test_values_that_are_float16_stay_the_same_array():
    values = np.array([1.5, np.nan], np.float16)
    kept, changed = as_float16(values)
    assert kept is values
    assert not changed.any()


def test_one_hot_bases_and_what_is_none():
    one_hot = np.concatenate([np.eye(4, dtype=bool)[::-1], np.zeros((1, 4), bool)])
    np.testing.assert_array_equal(codes_of_one_hot(one_hot), [3, 2, 1, 0, 4])
    with pytest.raises(ValueError, match="one 1 among four"):
        codes_of_one_hot(np.array([[1, 1, 0, 0]], np.uint8))
