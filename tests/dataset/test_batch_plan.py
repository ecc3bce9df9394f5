from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from regact.dataset.batch_plan import Augmentation, BatchPlan

plans = st.builds(
    BatchPlan,
    n_windows=st.integers(1, 60),
    batch_size=st.integers(1, 9),
    seed=st.integers(0, 2**63),
    shuffle=st.booleans(),
    augmentation=st.builds(
        Augmentation,
        reverse_complement=st.sampled_from(["none", "alternate", "random"]),
        max_shift_bp=st.integers(0, 5),
    ),
    drop_last=st.booleans(),
)


def whole_epoch(plan, epoch):
    return [plan.batch(epoch, i) for i in range(plan.batches_per_epoch)]


@given(plan=plans, epoch=st.integers(0, 1000))
def test_an_epoch_holds_every_window_once_but_for_a_dropped_last_batch(plan, epoch):
    batches = whole_epoch(plan, epoch)
    windows = np.concatenate([batch.windows for batch in batches])
    assert len(np.unique(windows)) == len(windows)
    assert windows.min() >= 0
    assert windows.max() < plan.n_windows
    missing = plan.n_windows - len(windows)
    assert missing == (plan.n_windows % plan.batch_size if plan.drop_last and plan.n_windows >= plan.batch_size else 0)
    assert all(len(batch.windows) == plan.batch_size for batch in batches[:-1])
    if not plan.shuffle:
        assert (windows == np.arange(len(windows))).all()


@given(plan=plans, epoch=st.integers(0, 1000), data=st.data())
def test_a_batch_is_the_same_whatever_was_asked_before(plan, epoch, data):
    i = data.draw(st.integers(0, plan.batches_per_epoch - 1))
    alone = plan.batch(epoch, i)
    fresh = BatchPlan(**{name: getattr(plan, name) for name in plan.__dataclass_fields__})
    for earlier in (epoch + 1, epoch):
        whole_epoch(fresh, earlier)
    for one, other in zip(alone, fresh.batch(epoch, i), strict=True):
        np.testing.assert_array_equal(one, other)


@given(plan=plans, epoch=st.integers(0, 1000), batch_size=st.integers(1, 9))
def test_shift_and_strand_of_a_window_do_not_depend_on_the_batch_size(plan, epoch, batch_size):
    def by_window(plan):
        return {
            int(window): (int(shift), bool(reverse))
            for batch in whole_epoch(plan, epoch)
            for window, shift, reverse in zip(*batch, strict=True)
        }

    one = by_window(BatchPlan(plan.n_windows, plan.batch_size, plan.seed, plan.shuffle, plan.augmentation))
    assert one == by_window(BatchPlan(plan.n_windows, batch_size, plan.seed, plan.shuffle, plan.augmentation))
    assert all(abs(shift) <= plan.augmentation.max_shift_bp for shift, _ in one.values())


@given(plan=plans, epoch=st.integers(0, 1000), shares=st.integers(1, 5))
def test_the_shares_of_a_batch_hold_it_once_in_order(plan, epoch, shares):
    parts = [replace(plan, share=share, shares=shares) for share in range(shares)]
    for i, whole in enumerate(whole_epoch(plan, epoch)):
        batches = [part.batch(epoch, i) for part in parts]
        for field, of_shares in zip(whole, zip(*batches, strict=True), strict=True):
            np.testing.assert_array_equal(np.concatenate(of_shares), field)
        sizes = [len(batch.windows) for batch in batches]
        assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(("share", "shares"), [(-1, 2), (2, 2), (0, 0)])
def test_a_share_that_there_is_not_is_refused(share, shares):
    with pytest.raises(ValueError, match="needed one from 0"):
        BatchPlan(4, 2, share=share, shares=shares)


def test_orders_shifts_and_strands_are_spread_evenly():
    plan = BatchPlan(7_000, 7_000, seed=5, shuffle=True, augmentation=Augmentation(reverse_complement="random"))
    batches = [plan.batch(epoch, 0) for epoch in range(4)]
    shifts = np.concatenate([batch.shifts for batch in batches])
    counts = np.bincount(shifts + 3, minlength=7)
    assert abs(counts - 4_000).max() < 5 * np.sqrt(4_000)  # five standard deviations
    reverse = np.concatenate([batch.reverse for batch in batches])
    assert abs(reverse.mean() - 0.5) < 5 * 0.5 / np.sqrt(28_000)
    # In each position of the order the mean window is the middle one, and epochs are not alike.
    assert abs(np.corrcoef([batch.windows for batch in batches]) - np.eye(4)).max() < 5 / np.sqrt(7_000)
    assert abs(np.corrcoef(batches[0].shifts, batches[0].reverse)[0, 1]) < 5 / np.sqrt(7_000)


def test_seeds_and_epochs_differ():
    def windows(seed, epoch):
        return tuple(BatchPlan(50, 50, seed, shuffle=True).batch(epoch, 0).windows)

    assert len({windows(seed, epoch) for seed in range(4) for epoch in range(4)}) == 16


def test_values_are_pinned_so_that_a_run_can_be_resumed_by_a_later_version():
    plan = BatchPlan(10, 5, seed=7, shuffle=True, augmentation=Augmentation(reverse_complement="random"))
    batch = plan.batch(3, 1)
    assert batch.windows.tolist() == [6, 7, 5, 1, 3]
    assert batch.shifts.tolist() == [-2, 3, 0, -3, -1]
    assert batch.reverse.tolist() == [True, True, True, True, False]


@pytest.mark.parametrize("epoch", range(6))
def test_alternate_reverses_odd_epochs_whole(epoch):
    """As the paper says (4.2): every other epoch, all sequences of it."""
    plan = BatchPlan(5, 2, augmentation=Augmentation(reverse_complement="alternate"))
    assert all((batch.reverse == bool(epoch % 2)).all() for batch in whole_epoch(plan, epoch))


def test_random_reverses_some_of_every_epoch_and_others_in_the_next():
    plan = BatchPlan(40, 40, augmentation=Augmentation(reverse_complement="random"))
    epochs = [tuple(plan.batch(epoch, 0).reverse) for epoch in range(4)]
    assert all(0 < sum(reverse) < 40 for reverse in epochs)
    assert len(set(epochs)) == 4


def test_both_forms_are_shifted_alike():
    alternate, random = (
        BatchPlan(30, 30, seed=2, augmentation=Augmentation(reverse_complement=form))
        for form in ("alternate", "random")
    )
    for epoch in range(4):
        np.testing.assert_array_equal(alternate.batch(epoch, 0).shifts, random.batch(epoch, 0).shifts)
    assert set(np.concatenate([alternate.batch(epoch, 0).shifts for epoch in range(10)])) == set(range(-3, 4))


@pytest.mark.parametrize("i", [-1, 3])
def test_a_batch_beyond_the_epoch_is_refused(i):
    with pytest.raises(IndexError, match=f"batch {i} of 3"):
        BatchPlan(5, 2).batch(0, i)


@pytest.mark.parametrize(("n_windows", "batch_size", "seed"), [(0, 1, 0), (1, 0, 0), (1, 1, -1)])
def test_sizes_below_their_minimum_are_refused(n_windows, batch_size, seed):
    with pytest.raises(ValueError, match="needed >= 1"):
        BatchPlan(n_windows, batch_size, seed)


def test_a_misspelt_augmentation_is_refused():
    with pytest.raises(ValidationError):
        Augmentation(reverse_complement="always")
