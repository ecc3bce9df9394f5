import os
import shutil
import signal
import subprocess
import sys
import time

import numcodecs
import numpy as np
import pytest
import torch

from regact.dataset import open_store
from regact.dataset.batch_plan import Augmentation
from regact.dataset.loader import Loader
from regact.dataset.schema import target_chunk
from regact.errors import ConfigError, RegactError, StoreError, TaskError
from regact.genome import Interval, decode

AUGMENTED = {"shuffle": True, "seed": 3, "augmentation": Augmentation(reverse_complement="random", max_shift_bp=3)}


def contents(batch):
    """A batch as bytes that stay when its memory is used again."""
    return [tensor.numpy().tobytes() for tensor in (batch.codes, batch.targets, batch.mask, batch.reverse, batch.rows)]


@pytest.fixture(scope="module")
def two_workers(small_store):
    with Loader(*small_store, "train", batch_size=2, workers=2, **AUGMENTED) as loader:
        yield loader


def test_a_batch_holds_what_store_and_genome_hold(small_store):
    store, genome = small_store
    for batch in Loader(store, genome, "train", batch_size=4, **AUGMENTED).epoch(1):
        targets, mask = store.read(batch.rows.tolist())
        np.testing.assert_array_equal(batch.targets.numpy(), targets)
        np.testing.assert_array_equal(batch.mask.numpy(), mask)
        assert batch.targets.dtype == torch.float16
        assert len(batch) == len(batch.rows)


def test_a_shifted_window_reads_its_real_flanks_and_n_beyond_the_contig(small_store):
    store, genome = small_store
    loader = Loader(store, genome, "train", batch_size=6, **AUGMENTED)
    seen = set()
    for epoch in range(8):
        (batch,) = loader.epoch(epoch)
        shifts = loader.plan.batch(epoch, 0).shifts
        for codes, row, shift in zip(batch.codes.numpy(), batch.rows.tolist(), shifts.tolist(), strict=True):
            start = 256 * row + shift
            sequence = decode(genome.contig("chr1"))
            flanked = "NNN" + sequence + "NNN"
            assert decode(codes) == flanked[start + 3 : start + 3 + 256]
            seen.add((row == 0, shift < 0))
    assert (True, True) in seen  # the first window was moved beyond the contig's start


def test_batches_are_the_same_whatever_the_number_of_workers(small_store, two_workers):
    here = Loader(*small_store, "train", batch_size=2, **AUGMENTED)
    with Loader(*small_store, "train", batch_size=2, workers=1, **AUGMENTED) as one_worker:
        for epoch in (0, 5):
            expected = [contents(batch) for batch in here.epoch(epoch)]
            assert [contents(batch) for batch in one_worker.epoch(epoch)] == expected
            assert [contents(batch) for batch in two_workers.epoch(epoch)] == expected


def test_an_epoch_can_start_at_any_batch(small_store, two_workers):
    whole = [contents(batch) for batch in two_workers.epoch(2)]
    for start in range(4):
        assert [contents(batch) for batch in two_workers.epoch(2, start=start)] == whole[start:]


def test_processes_share_every_batch_and_may_take_turns_at_whole_ones(small_store, two_workers):
    whole = list(two_workers.epoch(2))
    shares = []
    for share in range(2):
        with Loader(*small_store, "train", batch_size=2, share=share, shares=2, workers=1, **AUGMENTED) as loader:
            shares.append(list(loader.epoch(2)))
    for batch, *parts in zip(whole, *shares, strict=True):
        assert torch.equal(batch.rows, torch.cat([part.rows for part in parts]))
        assert torch.equal(batch.codes, torch.cat([part.codes for part in parts]))
        assert torch.equal(batch.targets, torch.cat([part.targets for part in parts]))
    turns = [[batch.rows.tolist() for batch in two_workers.epoch(2, start=k, every=2)] for k in range(2)]
    assert sorted(row for turn in turns for row in turn) == sorted(batch.rows.tolist() for batch in whole)


def test_a_batch_is_cut_into_parts_that_hold_it_once(small_store):
    (batch,) = Loader(*small_store, "train", batch_size=6, **AUGMENTED).epoch(0)
    for n in (1, 2, 4, 6):
        parts = batch.parts(n)
        assert [len(part) for part in parts] == [len(part.codes) for part in parts]
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
        for name in ("codes", "targets", "mask", "reverse", "rows"):
            assert torch.equal(torch.cat([getattr(part, name) for part in parts]), getattr(batch, name))


def test_batches_that_are_kept_are_not_overwritten(small_store, two_workers):
    expected = [contents(batch) for epoch in range(4) for batch in two_workers.epoch(epoch)]
    kept = [batch for epoch in range(4) for batch in two_workers.epoch(epoch)]  # more than there are slots
    assert [contents(batch) for batch in kept] == expected


def test_a_tensor_cut_out_of_a_batch_keeps_its_memory(two_workers):
    (first, *_) = two_workers.epoch(0)
    piece, expected = first.targets[1, 2:], first.targets[1, 2:].clone()
    del first, _
    for epoch in range(3):
        for _batch in two_workers.epoch(epoch):
            pass
    assert torch.equal(piece, expected)


def test_memory_is_used_again_when_batches_are_let_go(two_workers):
    places = {batch.targets.data_ptr() for epoch in range(4) for batch in two_workers.epoch(epoch)}
    assert len(places) <= two_workers._memory.n_slots


def test_an_epoch_left_halfway_does_not_disturb_the_next(two_workers):
    expected = [contents(batch) for batch in two_workers.epoch(1)]
    for _ in range(3):
        left = two_workers.epoch(0)
        next(left)
        left.close()
        assert [contents(batch) for batch in two_workers.epoch(1)] == expected


def test_two_epochs_may_be_read_side_by_side(two_workers):
    expected = [[contents(batch) for batch in two_workers.epoch(epoch)] for epoch in (0, 1)]
    pairs = zip(two_workers.epoch(0), two_workers.epoch(1), strict=True)
    together = [(contents(one), contents(other)) for one, other in pairs]
    assert [list(side) for side in zip(*together, strict=True)] == expected


def test_a_last_partial_batch_is_kept_or_dropped(small_store):
    sizes = [len(batch) for batch in Loader(*small_store, "train", batch_size=4).epoch(0)]
    assert sizes == [4, 2]
    assert [len(batch) for batch in Loader(*small_store, "train", batch_size=4, drop_last=True).epoch(0)] == [4]
    assert [len(batch) for batch in Loader(*small_store, "test", batch_size=4, drop_last=True).epoch(0)] == [2]


@pytest.fixture
def damaged(make_store):
    """A store of which one window's chunk is no zstd, and its genome."""
    store, genome = make_store()
    target_chunk(store.path, 3).write_bytes(b"not zstd")
    return store, genome


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_window_is_named(damaged, workers):
    store, genome = damaged
    with (
        Loader(store, genome, "train", batch_size=2, workers=workers) as loader,
        pytest.raises(StoreError, match=r"store\.zarr.*row 3.*build it again"),
    ):
        list(loader.epoch(0))


def test_a_window_that_is_gone_or_of_another_size_is_not_read_as_zeros(make_store):
    store, genome = make_store()
    short = numcodecs.Zstd().encode(np.zeros(5, np.float16))
    target_chunk(store.path, 1).write_bytes(short)
    target_chunk(store.path, 3).unlink()
    batches = Loader(store, genome, "train", batch_size=1)
    with pytest.raises(StoreError, match="row 1 are damaged"):
        list(batches.epoch(0, start=1))
    with pytest.raises(StoreError, match="row 3 are missing"):
        list(batches.epoch(0, start=3))


def test_a_workers_error_is_raised_as_it_is_and_the_loader_goes_on(damaged):
    store, genome = damaged
    with Loader(store, genome, "train", batch_size=2, workers=1) as loader:
        for _ in range(2):
            with pytest.raises(RegactError):
                list(loader.epoch(0))
        assert [batch.rows.tolist() for batch in loader.epoch(0, start=2)] == [[4, 5]]


def test_a_store_that_was_replaced_is_named_by_the_worker(make_store):
    store, genome = make_store()
    other, _ = make_store(strand_pair=(0, 1))
    shutil.rmtree(store.path)
    shutil.copytree(other.path, store.path)
    with (
        Loader(store, genome, "train", batch_size=2, workers=1) as loader,
        pytest.raises(StoreError, match="replaced while it was in use"),
    ):
        list(loader.epoch(0))


def test_a_killed_worker_is_told_and_the_next_epoch_starts_new_ones(small_store):
    with Loader(*small_store, "train", batch_size=1, workers=1) as loader:
        expected = [contents(batch) for batch in loader.epoch(0)]
        os.kill(loader._pool._workers[0].process.pid, signal.SIGKILL)
        with pytest.raises(TaskError, match="ended by SIGKILL"):
            list(loader.epoch(0))
        assert [contents(batch) for batch in loader.epoch(0)] == expected


def test_no_process_stays_after_close_or_when_the_loader_is_collected(small_store):
    loader = Loader(*small_store, "train", batch_size=1, workers=1)
    held = next(loader.epoch(0))
    before = contents(held)
    process = loader._pool._workers[0].process
    loader.close()
    assert process.exitcode is not None
    assert contents(held) == before
    next(loader.epoch(0))
    process = loader._pool._workers[0].process
    del loader
    assert process.exitcode is not None


@pytest.mark.slow
@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_the_process_that_started_them(small_store, tmp_path, signal_number):
    script = tmp_path / "train.py"
    script.write_text(
        "import sys, time\n"
        "from regact.dataset import open_store\n"
        "from regact.dataset.loader import Loader\n"
        "if __name__ == '__main__':\n"
        "    store = open_store(sys.argv[1])\n"
        "    loader = Loader(store, store.open_genome(), 'train', batch_size=1, workers=2)\n"
        "    for epoch in range(10**6):\n"
        "        for batch in loader.epoch(epoch):\n"
        "            if epoch == 1:\n"
        "                print(*(w.process.pid for w in loader._pool._workers), flush=True)\n"
    )
    command = [sys.executable, str(script), str(small_store[0].path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        pids = [int(pid) for pid in run.stdout.readline().split()]
        if signal_number == signal.SIGINT:
            os.killpg(run.pid, signal_number)  # as a terminal does: to the workers too
        else:
            run.kill()
        errors = run.communicate(timeout=60)[1]
    assert errors.count("Traceback") == (1 if signal_number == signal.SIGINT else 0), errors
    deadline = time.monotonic() + 20
    while any(_is_running(pid) for pid in pids):
        assert time.monotonic() < deadline, f"workers {pids} are still there"
        time.sleep(0.05)


def _is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(("name", "value"), [("workers", -1), ("batch_size", 0), ("split", "trian")])
def test_arguments_out_of_range_are_refused(small_store, name, value):
    arguments = {"split": "train", "batch_size": 1, name: value}
    with pytest.raises(ValueError, match=f"{name}|n_windows"):
        Loader(*small_store, **arguments)


def test_shifts_beyond_what_keeps_the_splits_apart_are_refused(small_store):
    with pytest.raises(ConfigError, match=r"max_shift_bp 4.*keeps the splits apart up to 3"):
        Loader(*small_store, "train", batch_size=1, augmentation=Augmentation(max_shift_bp=4))


def test_the_genome_is_read_where_it_was_opened(small_store):
    store, genome = small_store
    (batch, *_) = Loader(open_store(store.path), store.open_genome(), "valid", batch_size=1).epoch(0)
    row = int(batch.rows[0])
    np.testing.assert_array_equal(batch.codes[0], genome.fetch(Interval("chr1", 256 * row, 256 * row + 256)))
