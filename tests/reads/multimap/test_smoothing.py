from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d

from regact.reads.multimap.smoothing import gaussian_kernel, kernel_radius, smooth_dense, smooth_places


def dense_reference(values: np.ndarray, borders: np.ndarray, sd_bp: float) -> np.ndarray:
    contigs = [values[a:b] for a, b in pairwise(borders)]
    return np.concatenate([gaussian_filter1d(c, sd_bp, mode="reflect", truncate=4.0) if len(c) else c for c in contigs])


@st.composite
def sparse_coverage(draw: st.DrawFn):
    lengths = draw(st.lists(st.integers(0, 90), min_size=1, max_size=5).filter(any))
    borders = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    values = np.zeros(borders[-1])
    for place in draw(st.lists(st.integers(0, int(borders[-1]) - 1), max_size=12)):
        values[place] += draw(st.integers(1, 9))
    at = np.array(sorted(draw(st.sets(st.integers(0, int(borders[-1]) - 1), max_size=12))), np.int64)
    return borders, values, at


class TestKernel:
    def test_sums_to_one_over_both_sides(self):
        kernel = gaussian_kernel(16)
        assert kernel_radius(16) == 64 == len(kernel) - 1
        assert kernel[0] + 2 * kernel[1:].sum() == pytest.approx(1, abs=1e-15)
        assert kernel[16] / kernel[0] == pytest.approx(np.exp(-0.5))

    @pytest.mark.parametrize("sd_bp", [0, -1, np.nan, np.inf])
    def test_refuses_no_width(self, sd_bp):
        with pytest.raises(ValueError, match="standard deviation"):
            gaussian_kernel(sd_bp)
        with pytest.raises(ValueError, match="standard deviation"):
            smooth_dense(np.ones(4), sd_bp)


class TestSmoothPlaces:
    @given(sparse_coverage(), st.sampled_from([0.4, 1.0, 3.7, 16.0]))
    def test_equals_the_dense_pass(self, case, sd_bp):
        borders, values, at = case
        places = np.flatnonzero(values)
        smoothed = smooth_places(places, values[places], at, borders, sd_bp)
        np.testing.assert_allclose(smoothed, dense_reference(values, borders, sd_bp)[at], rtol=1e-12, atol=1e-15)

    @given(sparse_coverage(), st.sampled_from([1.0, 16.0]))
    def test_nothing_leaks_to_another_contig(self, case, sd_bp):
        borders, values, _ = case
        places, at = np.flatnonzero(values), np.arange(borders[-1])
        smoothed = smooth_places(places, values[places], at, borders, sd_bp)
        for left, right in pairwise(borders):
            assert smoothed[left:right].sum() == pytest.approx(values[left:right].sum(), rel=1e-12)

    @pytest.mark.parametrize("filled", [1, 40], ids=["pairs", "bases"])
    def test_reaches_as_far_as_the_radius(self, filled):
        kernel, radius = gaussian_kernel(4), kernel_radius(4)
        at = np.arange(100, 100 + filled)
        for place, far in ((100 - radius, 0), (99 + filled + radius, -1)):
            smoothed = smooth_places(np.array([place]), np.ones(1), at, np.array([0, 1000]), 4)
            assert smoothed[far] == kernel[radius]
            assert np.count_nonzero(smoothed) == 1
        dense = np.arange(100 - radius, 100 + filled + radius)
        smoothed = smooth_places(dense, np.ones(len(dense)), at, np.array([0, 1000]), 4)
        np.testing.assert_allclose(smoothed, 1, rtol=1e-14)

    def test_two_places_in_closed_form(self):
        kernel = gaussian_kernel(2)
        smoothed = smooth_places(np.array([50, 53]), np.array([2.0, 1.0]), np.array([50, 70]), np.array([0, 100]), 2)
        np.testing.assert_allclose(smoothed, [2 * kernel[0] + kernel[3], 0], rtol=1e-15)


class TestSmoothDense:
    @given(st.integers(1, 200), st.sampled_from([1.0, 16.0]))
    def test_constant_stays_and_total_stays(self, length, sd_bp):
        np.testing.assert_allclose(smooth_dense(np.full(length, 3.0), sd_bp), 3.0, rtol=1e-12)
        peak = np.zeros(length)
        peak[0] = 5
        assert smooth_dense(peak, sd_bp).sum() == pytest.approx(5, rel=1e-12)
