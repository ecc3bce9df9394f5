"""Streaming sums against numpy in one piece: offsets, masks, merging, tracks that cannot be judged."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from regact.errors import ShapeError
from regact.metrics import AccuracySums, TrackSums, mean_over_tracks


def random_batches(seed, n_batches=5, batch=3, tracks=4, bins=17, offset=0.0):
    rng = np.random.default_rng(seed)
    for _ in range(n_batches):
        target = rng.normal(size=(batch, tracks, bins)) + offset
        prediction = 0.6 * (target - offset) + rng.normal(size=target.shape) + offset
        mask = rng.random((batch, bins)) < 0.8
        yield torch.from_numpy(prediction), torch.from_numpy(target), torch.from_numpy(mask)


def joined(batches):
    """All unmasked bins as two float64 arrays (track, bin), by plain numpy."""
    pairs = [(p.numpy()[:, :, :], t.numpy(), m.numpy()) for p, t, m in batches]
    columns = [(p[b][:, m[b]], t[b][:, m[b]]) for p, t, m in pairs for b in range(len(p))]
    return tuple(np.concatenate([c[i] for c in columns], axis=1) for i in range(2))


@pytest.mark.parametrize("offset", [0.0, 300.0, 1e6])
def test_streamed_sums_equal_numpy_whatever_the_offset(offset):
    batches = list(random_batches(0, offset=offset))
    sums = TrackSums(4)
    for prediction, target, mask in batches:
        sums.update(prediction, target, mask)
    x, y = joined(batches)
    # the reference removes the offset first, so that its own rounding does not count
    x, y = x - offset, y - offset
    expected = [np.corrcoef(a, b)[0, 1] for a, b in zip(x, y, strict=True)]
    sse, sst = ((x - y) ** 2).sum(1), ((y - y.mean(1, keepdims=True)) ** 2).sum(1)
    assert sums.count == x.shape[1]
    np.testing.assert_allclose(sums.pearson(), expected, rtol=1e-9)
    np.testing.assert_allclose(sums.r2(), 1 - sse / sst, rtol=1e-8)


def test_float32_values_with_an_offset_keep_their_digits():
    # counts that float32 still holds exactly, on a large base: plain float32 sums of squares would be noise
    target = torch.arange(1000, dtype=torch.float32).reshape(1, 1, -1) % 7 + 1e6
    prediction = target + (torch.arange(1000) % 3)
    sums = TrackSums(1)
    sums.update(prediction, target)
    expected = np.corrcoef(prediction.double().flatten() - 1e6, target.double().flatten() - 1e6)[0, 1]
    assert sums.pearson().item() == pytest.approx(expected, abs=1e-12)


@given(seed=st.integers(0, 2**31), cuts=st.lists(st.integers(0, 6), min_size=2, max_size=2).map(sorted))
@settings(max_examples=25, deadline=None)
def test_merging_is_associative_and_equals_one_stream(seed, cuts):
    batches = list(random_batches(seed, n_batches=6, offset=10.0))
    pieces = []
    for part in (batches[: cuts[0]], batches[cuts[0] : cuts[1]], batches[cuts[1] :]):
        piece = TrackSums(4)
        for batch in part:
            piece.update(*batch)
        pieces.append(piece)

    def merged(order):
        left = TrackSums(4)
        for piece in order:
            left.merge(piece)
        return left

    right = merged(pieces[1:])
    whole_left, whole_right = merged(pieces), merged([pieces[0], right])
    stream = TrackSums(4)
    for batch in batches:
        stream.update(*batch)
    for other in (whole_right, stream):
        assert other.count == whole_left.count
        torch.testing.assert_close(other.pearson(), whole_left.pearson(), rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(other.r2(), whole_left.r2(), rtol=1e-12, atol=1e-12)


@given(scale=st.floats(0.01, 100), shift=st.floats(-100, 100))
@settings(max_examples=25, deadline=None)
def test_pearson_ignores_scale_and_shift_of_the_prediction(scale, shift):
    prediction, target, mask = next(random_batches(1))
    plain, moved = TrackSums(4), TrackSums(4)
    plain.update(prediction, target, mask)
    moved.update(prediction * scale + shift, target, mask)
    torch.testing.assert_close(plain.pearson(), moved.pearson(), rtol=1e-9, atol=1e-9)


def test_closed_forms():
    target = torch.tensor([[[1.0, 2.0, 3.0, 4.0]]])
    perfect, mean, reverse = TrackSums(1), TrackSums(1), TrackSums(1)
    perfect.update(target, target)
    mean.update(torch.full_like(target, 2.5), target)
    reverse.update(5 - target, target)
    assert (perfect.pearson().item(), perfect.r2().item()) == pytest.approx((1.0, 1.0))
    assert (mean.pearson().item(), mean.r2().item()) == pytest.approx((0.0, 0.0))
    assert (reverse.pearson().item(), reverse.r2().item()) == pytest.approx((-1.0, -3.0))


@pytest.mark.parametrize("value", [0.0, 0.1, 300.1])
def test_a_track_without_variance_is_nan_and_left_out_of_the_mean(value):
    target = torch.rand(2, 2, 50, generator=torch.Generator().manual_seed(0))
    target[:, 1] = value
    sums = TrackSums(2)
    for row in range(2):
        sums.update(target[row : row + 1] * 2, target[row : row + 1])
    assert sums.varies().tolist() == [True, False]
    assert math.isnan(sums.pearson()[1])
    assert math.isnan(sums.r2()[1])
    assert mean_over_tracks(sums.pearson()) == pytest.approx(1.0)
    assert math.isnan(mean_over_tracks(torch.tensor([math.nan, math.nan], dtype=torch.float64)))


def test_without_any_unmasked_bin_nothing_can_be_judged():
    sums = TrackSums(1)
    sums.update(torch.ones(1, 1, 3), torch.ones(1, 1, 3), torch.zeros(1, 3, dtype=torch.bool))
    assert sums.count == 0
    assert math.isnan(sums.pearson()[0])


def test_accuracy_sums_hold_raw_and_log1p():
    rng = torch.Generator().manual_seed(0)
    rate, counts = torch.rand(2, 3, 40, generator=rng) * 9, torch.rand(2, 3, 40, generator=rng) * 9
    sums, half = AccuracySums(3), AccuracySums(3)
    sums.update(rate[:1], counts[:1])
    half.update(rate[1:], counts[1:])
    sums.merge(half)
    log_rate, log_counts = np.log1p(rate.double().numpy()), np.log1p(counts.double().numpy())
    for track in range(3):
        expected = np.corrcoef(log_rate[:, track].flatten(), log_counts[:, track].flatten())[0, 1]
        assert sums.log1p.pearson()[track].item() == pytest.approx(expected, abs=1e-6)  # log1p in float32


def test_shapes_that_would_broadcast_are_refused():
    sums = TrackSums(2)
    with pytest.raises(ShapeError, match="target"):
        sums.update(torch.ones(2, 2, 5), torch.ones(1, 2, 5))
    with pytest.raises(ShapeError, match="mask"):
        sums.update(torch.ones(2, 2, 5), torch.ones(2, 2, 5), torch.ones(1, 5, dtype=torch.bool))
    with pytest.raises(ShapeError, match="prediction"):
        sums.update(torch.ones(2, 3, 5), torch.ones(2, 3, 5))
    with pytest.raises(ShapeError, match="3 tracks"):
        sums.merge(TrackSums(3))
