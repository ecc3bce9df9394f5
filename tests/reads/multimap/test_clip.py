import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import poisson

from regact.reads.alignments import Alignments
from regact.reads.layout import GenomeLayout
from regact.reads.multimap.clip import clip_factors, clip_limits, clip_towers
from regact.reads.multimap.smoothing import smooth_dense

BORDERS = np.array([0, 1000], np.int64)


class TestLimits:
    @given(st.floats(0, 60), st.integers(1, 40))
    def test_are_quantiles_of_the_poisson_distribution(self, mean, ceiling):
        (limit,) = clip_limits(np.array([mean]), ceiling)
        assert limit == np.clip(poisson.ppf(0.99, mean), 1, ceiling)

    def test_ceiling_below_one(self):
        with pytest.raises(ValueError, match="needed >= 1"):
            clip_limits(np.ones(1), 0)


class TestTowers:
    @pytest.mark.parametrize("height", [2, 30, 1e6])
    def test_a_lonely_tower_keeps_one_read(self, height):
        clipped = clip_towers(np.array([500]), np.array([float(height)]), BORDERS, sd_bp=16, ceiling=32)
        assert clipped.tolist() == [1]

    def test_two_towers_do_not_vouch_for_each_other(self):
        clipped = clip_towers(np.array([500, 520]), np.array([900.0, 900.0]), BORDERS, sd_bp=16, ceiling=100)
        assert clipped.tolist() == [1, 1]

    def test_a_broad_peak_stays_up_to_the_ceiling(self):
        places = np.arange(300, 700)
        coverage = np.full(400, 10.0)
        assert (clip_towers(places, coverage, BORDERS, sd_bp=16, ceiling=50) == 10).all()
        assert (clip_towers(places, coverage, BORDERS, sd_bp=16, ceiling=6) == 6).all()

    def test_a_tower_in_a_peak_is_cut_to_what_the_peak_allows(self):
        places = np.arange(300, 700)
        coverage = np.full(400, 4.0)
        coverage[200] = 300
        clipped = clip_towers(places, coverage, BORDERS, sd_bp=16, ceiling=100)
        assert (np.delete(clipped, 200) == 4).all()
        assert clipped[200] == poisson.ppf(0.99, 4)

    def test_a_contigs_border_hides_the_neighbours(self):
        # 499 to 501 lie in the middle of a peak that ends there on the one hand, at a contig's start on the other.
        places, coverage = np.append(np.arange(300, 500), 500), np.append(np.full(200, 4.0), 50.0)
        whole = clip_towers(places, coverage, np.array([0, 1000]), sd_bp=16, ceiling=100)
        apart = clip_towers(places, coverage, np.array([0, 500, 1000]), sd_bp=16, ceiling=100)
        assert (whole[-1], apart[-1]) == (poisson.ppf(0.99, 2), 1)

    @given(st.lists(st.tuples(st.integers(0, 150), st.floats(0, 40)), min_size=1, max_size=30), st.integers(1, 20))
    def test_limits_agree_with_each_other_and_more_reads_never_lower_them(self, drawn, ceiling):
        dense = np.zeros(151)
        for place, reads in drawn:
            dense[place] += reads
        places, borders = np.flatnonzero(dense), np.array([0, 151], np.int64)
        clipped = clip_towers(places, dense[places], borders, sd_bp=4, ceiling=ceiling)
        assert (clipped <= np.minimum(dense[places], ceiling)).all()
        assert (clipped >= np.minimum(dense[places], 1)).all()
        spread = np.zeros(151)
        spread[places] = clipped
        own = smooth_dense(np.eye(1, 151, 75)[0], 4)[75]
        mean = (smooth_dense(spread, 4)[places] - own * clipped) / (1 - own)
        np.testing.assert_array_equal(clipped, np.minimum(dense[places], clip_limits(mean, ceiling)))
        more = clip_towers(places, dense[places] * 2, borders, sd_bp=4, ceiling=ceiling)
        assert (more >= clipped).all()


class TestFactors:
    def test_scale_every_alignment_on_a_tower(self):
        place = np.array([10] * 6 + [400, 10], np.int64)
        strand = np.array([1] * 6 + [1, -1], np.int8)
        offsets = np.array([0, 1, 2, 3, 4, 5, 7, 8], np.int64)
        alignments = Alignments(offsets, place, place, np.ones(8, np.int32), strand)
        layout = GenomeLayout.from_lengths({"a": 1000})
        weight = np.array([1, 1, 1, 1, 1, 0.25, 0.75, 1], np.float32)
        both = clip_factors(alignments, weight, layout, sd_bp=4, ceiling=9)
        np.testing.assert_allclose(both, [1 / 6.25] * 6 + [1, 1 / 6.25], rtol=1e-6)
        apart = clip_factors(alignments, weight, layout, sd_bp=4, ceiling=9, stranded=True)
        np.testing.assert_allclose(apart, [1 / 5.25] * 6 + [1, 1], rtol=1e-6)

    def test_weight_zero_and_no_alignments(self):
        layout = GenomeLayout.from_lengths({"a": 10})
        empty = np.empty(0, np.int64)
        none = Alignments(np.zeros(1, np.int64), empty, empty, empty.astype(np.int32), empty.astype(np.int8))
        assert len(clip_factors(none, np.empty(0, np.float32), layout, sd_bp=4, ceiling=9)) == 0
        one = np.array([3], np.int64)
        single = Alignments(np.array([0, 1]), one, one, one.astype(np.int32), one.astype(np.int8))
        assert clip_factors(single, np.zeros(1, np.float32), layout, sd_bp=4, ceiling=9).tolist() == [1]
