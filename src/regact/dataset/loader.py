"""Batches of one split, in the order of a plan, read ahead by worker processes."""

from collections import deque
from collections.abc import Iterator
from typing import Self

import torch

from regact.dataset.batch import Batch
from regact.dataset.batch_memory import BatchLayout
from regact.dataset.batch_plan import NO_AUGMENTATION, Augmentation, BatchPlan, PlannedBatch
from regact.dataset.read_workers import ReadWorkers, WindowTask
from regact.dataset.store import Store
from regact.dataset.window_reader import WindowArrays, WindowReader
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
        batch_size, seed, shuffle, augmentation, drop_last: See `BatchPlan`.
        workers: Processes that read; a core decodes about 100 windows/s at 4,229 tracks.

    Raises:
        ValueError: `workers` is negative, or another argument is out of its range.
        StoreError: The store has no windows of this split.
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
        workers: int = 0,
    ) -> None:
        if workers < 0:
            raise ValueError(f"workers is {workers}; needed 0 or more")
        self.rows = store.rows(split)
        self.plan = BatchPlan(len(self.rows), batch_size, seed, shuffle, augmentation, drop_last)
        self.workers = workers
        self._reader = WindowReader(store, genome)
        self._layout = BatchLayout(min(batch_size, len(self.rows)), store.window_bp, store.n_bins, store.n_tracks)
        # Enough for every worker to have a window in hand and one waiting.
        self._batches_ahead = max(2, -(-2 * workers // self._layout.batch_size))
        self._pool: ReadWorkers | None = None

    @property
    def batches_per_epoch(self) -> int:
        """How many batches an epoch has."""
        return self.plan.batches_per_epoch

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of `epoch` from batch `start` on, in order.

        Raises:
            RegactError: What went wrong while reading, also where a worker met it.
            TaskError: A worker failed otherwise or was killed.
        """
        if self.workers == 0:
            for i in range(start, self.batches_per_epoch):
                yield self._read_here(self.plan.batch(epoch, i))
        else:
            yield from self._read_ahead(epoch, start)

    def close(self) -> None:
        """End the worker processes; the next epoch starts new ones."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read_ahead(self, epoch: int, start: int) -> Iterator[Batch]:
        pool = self._open_pool()
        planned = (self.plan.batch(epoch, i) for i in range(start, self.batches_per_epoch))
        ahead: deque[tuple[PlannedBatch, int]] = deque()
        waiting = next(planned, None)  # the next batch that has no slot yet
        try:
            while waiting is not None or ahead:
                while waiting is not None and len(ahead) <= self._batches_ahead:
                    slot = pool.start_filling(self._tasks(waiting))
                    if slot is None:
                        break
                    ahead.append((waiting, slot))
                    waiting = next(planned, None)
                if ahead:
                    batch, slot = ahead.popleft()
                    yield self._as_batch(batch, pool.wait_for(slot))
                elif waiting is not None:  # the caller holds every slot: its batches stay, this one is read here
                    batch, waiting = waiting, next(planned, None)
                    yield self._read_here(batch)
        finally:
            for _, slot in ahead:
                pool.abandon(slot)

    def _open_pool(self) -> ReadWorkers:
        if self._pool is None or not self._pool.alive:
            # Two slots more than are read ahead: the batch being handed over, and the one that the caller still holds.
            n_slots = min(self._batches_ahead + 2, self.batches_per_epoch + 1)
            self._pool = ReadWorkers(self._reader, self._layout, workers=self.workers, n_slots=n_slots)
        return self._pool

    def _tasks(self, batch: PlannedBatch) -> list[WindowTask]:
        rows = self.rows[batch.windows]
        return [
            WindowTask(j, int(row), int(shift)) for j, (row, shift) in enumerate(zip(rows, batch.shifts, strict=True))
        ]

    def _read_here(self, batch: PlannedBatch) -> Batch:
        arrays = self._layout.new_arrays(len(batch.windows))
        for task in self._tasks(batch):
            self._reader.read_into(arrays, task.j, task.row, task.shift)
        return self._as_batch(batch, arrays)

    def _as_batch(self, batch: PlannedBatch, arrays: WindowArrays) -> Batch:
        n = len(batch.windows)
        return Batch(
            codes=torch.from_numpy(arrays.codes[:n]),
            targets=torch.from_numpy(arrays.targets[:n]),
            mask=torch.from_numpy(arrays.mask[:n]),
            reverse=torch.from_numpy(batch.reverse),
            rows=torch.from_numpy(self.rows[batch.windows]),
        )
