"""Drawing blocks by weights on their sums is drawing their bins; and it finds how far an accuracy may be off."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from regact.evaluation import Resamples, draw_blocks, resample_accuracy
from regact.evaluation.blocks import Blocks
from regact.evaluation.bootstrap import BlockSums
from regact.evaluation.window_sums import WindowSumsCollector
from regact.metrics import TrackSums


def random_split(random, *, windows=12, bins=10, tracks=3, n_blocks=5, offset=0.0):
    """Counts of a split whose windows lie in one or two blocks, with a mask; and their sums."""
    of_bin = np.sort(random.integers(0, n_blocks, windows))[:, None] + np.zeros((1, bins), dtype=np.int32)
    of_bin[:, bins // 2 :] = np.minimum(of_bin[:, bins // 2 :] + random.integers(0, 2, (windows, 1)), n_blocks - 1)
    of_bin = of_bin.astype(np.int32)
    rows = np.sort(random.permutation(100)[:windows])
    blocks = Blocks("test", rows, of_bin, np.full(n_blocks, 500_000))
    expected = offset + random.gamma(2.0, 1.0, (windows, tracks, bins))
    measured = offset + random.gamma(2.0, 1.0, (windows, tracks, bins)) + 0.5 * (expected - offset)
    mask = random.random((windows, bins)) < 0.8
    mask[0] = False  # a window that is masked as a whole
    collector = WindowSumsCollector(blocks, tracks)
    tensors = [torch.from_numpy(each) for each in (expected, measured, mask)]
    for part in torch.from_numpy(random.permutation(windows)).split(5):  # in batches, in any order
        collector.add_rates(torch.from_numpy(rows)[part], *(each[part] for each in tensors))
    return blocks, expected, measured, mask, collector.sums


def drawn_bins(values, blocks, mask, weights):
    """The unmasked bins of every block as often as it was drawn, one after the other: `(track, bin)`."""
    parts = []
    for block, times in enumerate(weights.astype(int)):
        ours = (blocks.of_bin == block) & mask
        parts += [values.transpose(1, 0, 2)[:, ours]] * times
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_resampled_sums_are_resampled_bins(offset):
    random = np.random.default_rng(1)
    blocks, expected, measured, mask, sums = random_split(random, offset=offset)
    weights = draw_blocks(sums.has_bins, 40, seed=2)
    assert (weights.sum(axis=1) == sums.has_bins.sum()).all()
    groups = {"all": np.array([True] * 3), "last": np.array([False, False, True])}
    found = resample_accuracy(sums, groups, weights)
    for draw, weight in enumerate(weights):
        p, y = (drawn_bins(values, blocks, mask, weight) for values in (expected, measured))
        for suffix, scale in (("", np.array), ("_log1p", np.log1p)):
            pearson = [stats.pearsonr(scale(p[track]), scale(y[track])).statistic for track in range(3)]
            r2 = [
                1 - ((scale(y[t]) - scale(p[t])) ** 2).sum() / ((scale(y[t]) - scale(y[t]).mean()) ** 2).sum()
                for t in range(3)
            ]
            # float64 has 16 digits; log1p of 1e6 spends six of the seven of the spread of values near 1e6
            tolerance = 1e-10 if offset == 0 else 1e-5
            assert found["all"][f"pearson{suffix}"][draw] == pytest.approx(np.mean(pearson), abs=tolerance)
            assert found["last"][f"pearson{suffix}"][draw] == pytest.approx(pearson[2], abs=tolerance)
            assert found["all"][f"r2{suffix}"][draw] == pytest.approx(np.mean(r2), abs=tolerance)


@given(st.integers(0, 2**32 - 1))
def test_every_block_once_is_the_split(seed):
    random = np.random.default_rng(seed)
    *_, expected, measured, mask, sums = random_split(random, windows=6, n_blocks=3)
    whole = TrackSums(3)
    whole.update(*(torch.from_numpy(each) for each in (expected, measured, mask)))
    blocks = BlockSums.of(sums.block, sums.n_blocks, sums.count, sums.raw)
    pearson, r2 = blocks.accuracy(np.ones((1, 3)))
    np.testing.assert_allclose(pearson[0], whole.pearson().numpy(), atol=1e-11)
    np.testing.assert_allclose(r2[0], whole.r2().numpy(), atol=1e-11)
    assert sums.count.sum() == mask.sum() == whole.count
    twice, _ = blocks.accuracy(np.full((1, 3), 2.0))
    np.testing.assert_allclose(twice, pearson, atol=1e-12)  # what is there twice weighs no more


def test_draws_in_which_nothing_varies():
    """A track with signal in one block only, and predictions that vary there only."""
    blocks = Blocks("test", np.arange(4), np.repeat(np.arange(4, dtype=np.int32)[:, None], 5, axis=1), np.full(4, 5e5))
    random = np.random.default_rng(0)
    y, p = torch.full((4, 2, 5), 0.3, dtype=torch.float64), torch.full((4, 2, 5), 0.1, dtype=torch.float64)
    y[:, 1] = torch.from_numpy(random.random((4, 5)))
    y[0, 0], p[0] = torch.arange(5) * 1e3, torch.from_numpy(random.random((2, 5)) * 1e3)
    collector = WindowSumsCollector(blocks, 2)
    collector.add_rates(torch.arange(4), p, y, torch.ones(4, 5, dtype=torch.bool))
    sums = collector.sums
    without, with_it = np.array([[0, 2, 1, 1]]), np.array([[1, 1, 1, 1]])
    raw = BlockSums.of(sums.block, 4, sums.count, sums.raw)
    pearson, r2 = raw.accuracy(without.astype(float))
    assert np.isnan([pearson[0, 0], r2[0, 0]]).all()  # cannot be judged in this draw
    assert pearson[0, 1] == 0  # a constant prediction of what varies
    assert np.isfinite(raw.accuracy(with_it.astype(float))[0]).all()
    groups = {"both": np.array([True, True]), "first": np.array([True, False])}
    found = resample_accuracy(sums, groups, without.astype(float))
    assert found["both"]["pearson"][0] == 0  # the mean over those that can
    assert np.isnan(found["first"]["pearson"][0])


def test_blocks_without_bins_are_never_drawn():
    has_bins = np.array([True, False, True, True])
    weights = draw_blocks(has_bins, 200)
    assert (weights[:, 1] == 0).all()
    assert (weights.sum(axis=1) == 3).all()
    assert weights.mean(axis=0)[has_bins] == pytest.approx([1, 1, 1], abs=0.15)
    np.testing.assert_array_equal(weights, draw_blocks(has_bins, 200))


N_BLOCKS, N_BINS, REPEATS = 30, 24, 400


def gaussian(random, shared):
    """Values of 30 blocks of 24 bins in 400 tracks, all of variance 1; bins of a block are alike by `shared`."""
    of_block = random.normal(size=(N_BLOCKS, REPEATS, 1))
    return np.sqrt(shared) * of_block + np.sqrt(1 - shared) * random.normal(size=(N_BLOCKS, REPEATS, N_BINS))


def covered(random, correlations, truth, *, shared=0.3):
    """How often the interval over blocks and seeds holds the truth, of 400 comparisons, each a track of its own.

    `correlations`: of prediction and target in expectation, one for each seed and track.
    """
    target, common = gaussian(random, shared), gaussian(random, shared)
    of_bin = np.repeat(np.arange(N_BLOCKS, dtype=np.int32)[:, None], N_BINS, axis=1)
    blocks = Blocks("test", np.arange(N_BLOCKS), of_bin, np.full(N_BLOCKS, 500_000))
    groups = {str(track): np.arange(REPEATS) == track for track in range(REPEATS)}
    weights = draw_blocks(np.ones(N_BLOCKS, dtype=bool), 500)
    values, drawn = [], []
    for correlation in correlations:
        r = correlation[None, :, None]
        error = np.sqrt(0.5) * (common + gaussian(random, shared))  # seeds have half of their errors in common
        prediction = r * target + np.sqrt(1 - r**2) * error
        collector = WindowSumsCollector(blocks, REPEATS)
        mask = torch.ones(N_BLOCKS, N_BINS, dtype=torch.bool)
        moved = (torch.from_numpy(each + 100) for each in (prediction, target))  # counts are never below 0
        collector.add_rates(torch.arange(N_BLOCKS), *moved, mask)
        whole = resample_accuracy(collector.sums, groups, np.ones((1, N_BLOCKS)))
        values.append([whole[track]["pearson"][0] for track in groups])
        found = resample_accuracy(collector.sums, groups, weights)
        drawn.append([found[track]["pearson"] for track in groups])
    hits = 0
    for track in range(REPEATS):
        of_track = np.array([one[track] for one in values]), np.array([one[track] for one in drawn])
        estimate = Resamples.over_seeds(*of_track, N_BLOCKS, random).estimate()
        hits += estimate.low <= truth <= estimate.high
    return hits / REPEATS


@pytest.mark.parametrize("shared", [0.0, 0.3])
def test_intervals_over_blocks_hold_the_truth_as_often_as_they_say(shared):
    random = np.random.default_rng(3)
    assert 0.90 <= covered(random, [np.full(REPEATS, 0.6)], 0.6, shared=shared) <= 0.98


@pytest.mark.parametrize("spread", [0.01, 0.03, 0.06])
def test_intervals_over_seeds_and_blocks_hold_the_truth_as_often_as_they_say(spread):
    """Three seeds, whose trainings differ by less, about as much, and more than the blocks let them."""
    random = np.random.default_rng(4)
    correlations = random.normal(0.5, spread, (3, REPEATS))
    assert 0.90 <= covered(random, correlations, 0.5) <= 0.98
