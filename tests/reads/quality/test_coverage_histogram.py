"""The histogram against numpy on every base."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.reads.quality.coverage_histogram import coverage_histogram
from regact.tracks import covered_intervals


@given(st.lists(st.sampled_from([0, 0, 0.25, 1, 1.5, 7, 4000]), min_size=1, max_size=200), st.integers(0, 50))
def test_every_base_is_counted_once(values, more_bp):
    bases = np.array(values, np.float32)
    found = coverage_histogram([("c", *covered_intervals(bases))], len(bases) + more_bp)
    assert found.uncovered == (bases == 0).sum() + more_bp
    assert found.bases.sum() == (bases > 0).sum()
    assert found.total == pytest.approx(float(bases.sum()))
    assert found.maximum == bases.max()
    expected, _ = np.histogram(bases[bases > 0], found.edges)
    np.testing.assert_array_equal(found.bases, expected)
    assert found.covered_share == pytest.approx((bases > 0).sum() / (len(bases) + more_bp))


def test_values_beyond_the_edges_fall_into_the_outer_bins():
    found = coverage_histogram([("c", np.array([0, 5]), np.array([2, 6]), np.array([1e-9, 1e12]))], 10)
    assert found.bases.tolist()[0] == 2
    assert found.bases.tolist()[-1] == 1


def test_nothing_covered():
    found = coverage_histogram([], 10)
    assert (found.uncovered, found.total, found.covered_share) == (10, 0.0, 0.0)
