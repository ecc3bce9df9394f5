"""Worker processes that read windows into shared slots, and do nothing else."""

import multiprocessing
import signal
import weakref
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import NamedTuple

import numcodecs

from regact.dataset.batch_memory import BatchMemory
from regact.dataset.window_reader import WindowArrays, WindowReader
from regact.errors import RegactError, TaskError

_SECONDS_TO_END = 5.0


class WindowTask(NamedTuple):
    """One window to read into item `j` of a slot."""

    j: int
    row: int
    shift: int


class ReadWorkers:
    """A pool of spawned processes that fill slots of a batch memory."""

    def __init__(self, reader: WindowReader, memory: BatchMemory, *, workers: int) -> None:
        self._memory = memory
        self._unfinished = [0] * memory.n_slots  # shares of each slot still being read
        self._errors: list[RegactError | None] = [None] * memory.n_slots
        self._abandoned: set[int] = set()
        self._workers = [_start_worker(reader, memory, number) for number in range(workers)]
        self._stop = weakref.finalize(self, _stop_workers, self._workers)

    @property
    def alive(self) -> bool:
        """False after `close`, or once a worker was lost."""
        return self._stop.alive

    def close(self) -> None:
        """End the workers. Batches that are still held stay valid."""
        self._stop()

    def start_filling(self, slot: int, tasks: Sequence[WindowTask]) -> None:
        """Have the workers read `tasks` into a slot, each a share of them."""
        n_shares = min(len(self._workers), len(tasks))
        for share in (tasks[k::n_shares] for k in range(n_shares)):
            worker = min(self._workers, key=lambda worker: worker.queued)
            self._unfinished[slot] += 1
            worker.queued += len(share)
            with suppress(BrokenPipeError, ConnectionResetError):  # a lost worker shows itself in _collect
                worker.pipe.send((slot, share))

    def wait_for(self, slot: int) -> None:
        """Return when the slot is filled.

        Raises:
            RegactError: Raised by a worker, as it is; the slot is free again.
            TaskError: A worker failed otherwise or was lost.
        """
        while self._unfinished[slot]:
            self._collect()
        error, self._errors[slot] = self._errors[slot], None
        if error is not None:
            self._memory.give_back(slot)
            raise error

    def abandon(self, slot: int) -> None:
        """Free a slot that nobody will wait for, as soon as the workers have left it."""
        self._abandoned.add(slot)
        self._release_if_abandoned(slot)

    def wait_for_abandoned(self) -> None:
        """Return when no abandoned slot is being filled any more."""
        while self._abandoned:
            self._collect()

    def _collect(self) -> None:
        """Wait until at least one share is read."""
        if not self.alive:
            raise RuntimeError("the loader was closed while one of its epochs was being read")
        pipes: dict[object, _Worker] = {worker.pipe: worker for worker in self._workers if worker.queued}
        for pipe in wait([worker.pipe for worker in pipes.values()]):
            worker = pipes[pipe]
            try:
                slot, n_read, error = worker.pipe.recv()
            except (EOFError, OSError):  # OSError where it died halfway through a message
                self.close()
                raise _lost_worker_error(worker.process) from None
            worker.queued -= n_read
            self._unfinished[slot] -= 1
            self._errors[slot] = self._errors[slot] or error
            self._release_if_abandoned(slot)

    def _release_if_abandoned(self, slot: int) -> None:
        if slot in self._abandoned and not self._unfinished[slot]:
            self._abandoned.remove(slot)
            self._errors[slot] = None
            self._memory.give_back(slot)


class _Worker:
    """A worker process as the parent sees it; `queued` counts the windows it was given and has not read."""

    def __init__(self, process: SpawnProcess, pipe: Connection) -> None:
        self.process, self.pipe, self.queued = process, pipe, 0


def _start_worker(reader: WindowReader, memory: BatchMemory, number: int) -> _Worker:
    context = multiprocessing.get_context("spawn")  # not fork: zarr, torch and CUDA run threads
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(memory, theirs), name=f"regact-loader-{number}", daemon=True)
    # Ctrl-C reaches every process of the terminal's group; the workers hold it back, and the parent ends them. Its
    # SIGTERM waits until they can end in order: cut off in their imports they would leave semaphores of numcodecs
    # behind.
    resource_tracker.ensure_running()  # starting it, as the first process does, would lift the mask
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)
    theirs.close()  # or the pipe would not end when the worker dies
    ours.send(reader)
    return _Worker(process, ours)


def _work(memory: BatchMemory, pipe: Connection) -> None:
    """The worker process: shares in, word of them out, until the pipe ends (also where the parent was killed)."""
    signal.signal(signal.SIGTERM, _exit)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    numcodecs.blosc.set_nthreads(1)  # one worker, one core
    arrays = [memory.arrays(slot) for slot in range(memory.n_slots)]
    reader = None
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            reader = pipe.recv()
        except RegactError as error:  # the store is gone or another
            failed: RegactError | None = error
        while True:
            slot, tasks = pipe.recv()
            pipe.send((slot, len(tasks), _read(reader, arrays[slot], tasks) if reader else failed))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it is ending already


def _exit(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one would cut short what the first began
    raise SystemExit


def _read(reader: WindowReader, arrays: WindowArrays, tasks: Sequence[WindowTask]) -> RegactError | None:
    """Read all windows of a share; what went wrong is returned, since it has to travel."""
    for task in tasks:
        try:
            reader.read_into(arrays, task.j, task.row, task.shift)
        except RegactError as error:
            return error
        except Exception as error:
            return TaskError(f"{reader.store.path}, window {task.row}", f"{type(error).__name__}: {error}")
    return None


def _stop_workers(workers: Sequence[_Worker]) -> None:
    for worker in workers:
        worker.process.terminate()  # it only reads: nothing is left half done
    for worker in workers:
        worker.process.join(_SECONDS_TO_END)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
        worker.pipe.close()


def _lost_worker_error(process: SpawnProcess) -> TaskError:
    process.join(_SECONDS_TO_END)
    code = process.exitcode
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        return TaskError(
            process.name, f"this loader worker was ended by {name}", "", "if memory ran out, use fewer --workers"
        )
    return TaskError(
        process.name,
        f"this loader worker ended with exit code {code}",
        "",
        "a script that starts workers needs `if __name__ == '__main__':` around its calls",
    )
