"""Each step of the transform, its inverse, and where there is none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.tracks import SUM_STATS, TrackTransform

limit = st.none() | st.floats(0.1, 1e4)


@st.composite
def transforms(draw):
    return TrackTransform(
        sum_stat=draw(st.sampled_from(SUM_STATS)),
        bin_bp=draw(st.integers(1, 256)),
        scale=draw(st.floats(1e-3, 1e3)),
        depth_factor=draw(st.floats(1e-3, 1e3)),
        clip_soft=draw(limit),
        clip=draw(limit),
    )


@pytest.mark.parametrize(
    ("sum_stat", "expected"),
    [("sum", 24.0), ("mean", 24 / 128), ("max", 24.0), ("sum_sqrt", 4.0), ("sum_exp75", 25**0.75 - 1)],
)
def test_closed_forms(sum_stat, expected):
    transform = TrackTransform(sum_stat, 128, scale=2.0, depth_factor=4.0)
    assert transform.forward(np.array([3.0])) == pytest.approx([expected])
    assert transform.forward(np.zeros(2)).tolist() == [0.0, 0.0]


def test_soft_and_hard_clip_in_that_order():
    transform = TrackTransform("sum", 128, clip_soft=32.0, clip=35.0)
    pooled = np.array([31.0, 32.0, 40.0, 47.0, 48.0, 1e9])
    np.testing.assert_allclose(transform.forward(pooled), [31, 32, 34, 35, 35, 35])


def test_the_inverse_flags_what_the_hard_clip_hides():
    transform = TrackTransform("sum", 128, clip_soft=32.0, clip=35.0)
    pooled, saturated = transform.inverse(np.array([31.0, 34.0, 34.9, 35.0, 99.0]))
    assert saturated.tolist() == [False, False, False, True, True]
    np.testing.assert_allclose(pooled[[0, 1, 3, 4]], [31, 40, 47, 47])


def test_saturation_survives_storage_in_float16():
    """0.1 is stored as 0.09998: still the clip, not a value below it."""
    transform = TrackTransform("mean", 128, clip=0.1)
    stored = transform.forward(np.array([1e3, 1.0])).astype(np.float16)
    assert float(stored[0]) < 0.1
    assert transform.inverse(stored)[1].tolist() == [True, False]


def test_nothing_is_saturated_without_a_hard_clip():
    assert not TrackTransform("sum", 128, clip_soft=3.0).inverse(np.array([1e6]))[1].any()


@given(transform=transforms(), pooled=st.lists(st.floats(0, 1e6), min_size=1, max_size=20))
def test_the_inverse_gives_back_what_was_not_saturated(transform, pooled):
    pooled = np.array(pooled)
    found, saturated = transform.inverse(transform.forward(pooled))
    known = ~saturated
    np.testing.assert_allclose(
        found[known], pooled[known], rtol=1e-6, atol=1e-12 / abs(transform.factor) * transform.bin_bp
    )
    if transform.clip is not None:
        assert (
            found[saturated] <= pooled[saturated] * (1 + 1e-6) + 1e-9 / abs(transform.factor) * transform.bin_bp
        ).all()


@given(transform=transforms(), pooled=st.lists(st.floats(0, 1e9), min_size=2, max_size=20))
def test_forward_is_monotone_and_keeps_the_limits(transform, pooled):
    values = transform.forward(np.sort(pooled))
    assert (np.diff(values) >= -1e-9 * values[1:]).all()
    assert (values >= 0).all()
    assert values.dtype == np.float64
    if transform.clip is not None:
        assert values.max() <= transform.clip


@given(scale=st.floats(0.1, 10), depth_factor=st.floats(0.1, 10))
def test_the_depth_factor_alone_can_be_undone(scale, depth_factor):
    deep = TrackTransform("sum_sqrt", 128, scale=scale, depth_factor=depth_factor)
    plain = TrackTransform("sum_sqrt", 128, scale=scale)
    pooled = np.array([0.0, 1.0, 50.0])
    undone = plain.forward(deep.inverse(deep.forward(pooled))[0])
    np.testing.assert_allclose(undone, plain.forward(pooled), rtol=1e-9, atol=1e-12)


def test_a_negative_factor_turns_negative_coverage_round():
    transform = TrackTransform("sum_sqrt", 128, scale=-1.0)
    assert transform.forward(np.array([-3.0])) == pytest.approx([1.0])
    assert transform.inverse(np.array([1.0]))[0] == pytest.approx([-3.0])


def test_values_out_of_range_are_refused():
    transform = TrackTransform("sum", 128)
    with pytest.raises(ValueError, match=">= 0"):
        transform.forward(np.array([-1.0]))
    with pytest.raises(ValueError, match=">= 0"):
        transform.inverse(np.array([-1.0]))


@pytest.mark.parametrize(
    "wrong",
    [{"sum_stat": "median"}, {"bin_bp": 0}, {"scale": 0.0}, {"depth_factor": 0.0}, {"clip": 0.0}, {"clip_soft": -1.0}],
)
def test_settings_without_meaning_are_refused(wrong):
    with pytest.raises(ValueError, match="needed"):
        TrackTransform(**{"sum_stat": "sum", "bin_bp": 128, **wrong})
