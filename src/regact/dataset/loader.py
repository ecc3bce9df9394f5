"""Batches of one split, in the order of a plan, read ahead by worker processes."""

from collections import deque
from collections.abc import Iterator
from typing import Self

import torch

from regact.dataset.batch import Batch
from regact.dataset.batch_memory import BatchLayout, BatchMemory
from regact.dataset.batch_plan import NO_AUGMENTATION, Augmentation, BatchPlan, PlannedBatch
from regact.dataset.read_workers import ReadWorkers, WindowTask
from regact.dataset.store import Store
from regact.dataset.window_reader import WindowArrays, WindowReader
from regact.errors import ConfigError
from regact.genome import Genome


class Loader:
    """Loads the windows of one split as batches.

    With `workers=0` the calling process reads; otherwise that many processes read ahead, start at the first epoch and
    stay until `close` (or until the loader is collected). The batches are the same, bit for bit, whatever `workers` is.
    A batch may be kept as long as wished: its memory is used again only when no tensor looks at it.

    Args:
        store: The dataset.
        genome: The genome it was built from (`store.open_genome()`).
        split: train, valid or test.
        batch_size, seed, shuffle, augmentation, drop_last, share, shares: See `BatchPlan`.
        workers: Processes that read; a core decodes about 100 windows/s at 4,229 tracks.

    Raises:
        ValueError: `workers` is negative, or another argument is out of its range.
        DataError: The store has no windows of this split.
        ConfigError: Shifts are larger than the store keeps its splits apart for.
    """

    def __init__(
        self,
        store: Store,
        genome: Genome,
        split: str,
        *,
        batch_size: int,
        seed: int = 0,
        shuffle: bool = False,
        augmentation: Augmentation = NO_AUGMENTATION,
        drop_last: bool = False,
        share: int = 0,
        shares: int = 1,
        workers: int = 0,
    ) -> None:
        if workers < 0:
            raise ValueError(f"workers is {workers}; needed 0 or more")
        if augmentation.max_shift_bp > store.max_shift_bp:
            raise ConfigError(store.path, [_shift_problem(augmentation.max_shift_bp, store.max_shift_bp)])
        self.rows = store.rows(split)
        self.plan = BatchPlan(len(self.rows), batch_size, seed, shuffle, augmentation, drop_last, share, shares)
        self.workers = workers
        self._reader = WindowReader(store, genome)
        largest = -(-min(batch_size, len(self.rows)) // shares)
        self._layout = BatchLayout(largest, store.window_bp, store.n_bins, store.n_tracks)
        # Enough that every worker has a window in hand and another waiting.
        self._batches_ahead = max(2, -(-2 * workers // self._layout.batch_size)) if workers else 0
        self._memory = self._new_memory()
        self._pool: ReadWorkers | None = None

    @property
    def batches_per_epoch(self) -> int:
        """How many batches an epoch has."""
        return self.plan.batches_per_epoch

    def epoch(self, epoch: int, start: int = 0, every: int = 1) -> Iterator[Batch]:
        """The batches of `epoch` from batch `start` on, in order; with `every`, only each so-manyth of them.

        Raises:
            RegactError: What went wrong while reading, also where a worker met it.
            TaskError: A worker failed otherwise or was killed.
        """
        planned = (self.plan.batch(epoch, i) for i in range(start, self.batches_per_epoch, every))
        return self._read_ahead(planned) if self.workers else map(self._read_here, planned)

    def close(self) -> None:
        """End the worker processes; the next epoch starts new ones."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read_ahead(self, planned: Iterator[PlannedBatch]) -> Iterator[Batch]:
        pool, memory = self._open_pool()
        ahead: deque[tuple[PlannedBatch, int]] = deque()  # batches at the workers, and their slots
        try:
            for batch in planned:
                while ahead and (len(ahead) > self._batches_ahead or not memory.n_free):
                    yield self._hand_over(pool, memory, *ahead.popleft())
                slot = memory.take()
                if slot is None:  # the caller holds every slot, and may
                    yield self._read_here(batch)
                else:
                    ahead.append((batch, slot))
                    pool.start_filling(slot, self._tasks(batch))
            while ahead:
                yield self._hand_over(pool, memory, *ahead.popleft())
        finally:
            for _, slot in ahead:
                pool.abandon(slot)

    def _hand_over(self, pool: ReadWorkers, memory: BatchMemory, batch: PlannedBatch, slot: int) -> Batch:
        pool.wait_for(slot)
        return self._as_batch(batch, memory.lend(slot))

    def _open_pool(self) -> tuple[ReadWorkers, BatchMemory]:
        if self._pool is None or not self._pool.alive:
            self._memory = self._new_memory()  # slots that a lost worker had are not waited for
            self._pool = ReadWorkers(self._reader, self._memory, workers=self.workers)
        self._pool.wait_for_abandoned()
        return self._pool, self._memory

    def _new_memory(self) -> BatchMemory:
        # Two more than are read ahead: the batch being handed over, and the one that the caller still holds meanwhile.
        return BatchMemory(self._layout, min(self._batches_ahead + 2, self.batches_per_epoch + 1))

    def _tasks(self, batch: PlannedBatch) -> list[WindowTask]:
        rows = self.rows[batch.windows].tolist()
        return [WindowTask(*task) for task in zip(range(len(rows)), rows, batch.shifts.tolist(), strict=True)]

    def _read_here(self, batch: PlannedBatch) -> Batch:
        slot = self._memory.take()
        arrays = self._memory.lend(slot) if slot is not None else self._layout.new_arrays()
        for task in self._tasks(batch):
            self._reader.read_into(arrays, task.j, task.row, task.shift)
        return self._as_batch(batch, arrays)

    def _as_batch(self, batch: PlannedBatch, arrays: WindowArrays) -> Batch:
        n = len(batch.windows)  # fewer than the slot holds in a last batch
        return Batch(
            codes=torch.from_numpy(arrays.codes[:n]),
            targets=torch.from_numpy(arrays.targets[:n]),
            mask=torch.from_numpy(arrays.mask[:n]),
            reverse=torch.from_numpy(batch.reverse),
            rows=torch.from_numpy(self.rows[batch.windows]),
        )


def _shift_problem(asked_bp: int, kept_bp: int) -> str:
    return (
        f"augmentation.max_shift_bp {asked_bp}: the store keeps the splits apart up to {kept_bp}; lower it, or build "
        f"the store with dataset.max_shift_bp {asked_bp}"
    )
