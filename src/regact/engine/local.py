"""Many independent tasks on the processes of one machine.

Each worker is a spawned process with a pipe of its own, rather than a `ProcessPoolExecutor`: that one cannot say
which task a killed worker had, and before Python 3.14 cannot stop running tasks on Ctrl-C.
"""

import multiprocessing
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, TypeVar, cast

from regact.engine.files import disk_full_as_error
from regact.engine.progress import progress
from regact.errors import RegactError, TaskError

Task = TypeVar("Task")
Result = TypeVar("Result")

_SECONDS_TO_END = 5.0
_MAIN_GUARD = "see its message above; a script that starts workers needs `if __name__ == '__main__':` around its calls"
_FEWER_WORKERS = "use fewer --workers or a machine with more memory"


def available_cores() -> int:
    """How many processes this one may keep busy: the default number of workers."""
    # os.cpu_count() counts cores that a batch system or container may have withheld; macOS cannot tell.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_tasks(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    *,
    workers: int,
    label: str,
    describe: Callable[[Task], str] = str,
) -> Iterator[tuple[int, Result]]:
    """Pairs (index into `tasks`, `function(task)`) in the order in which they are finished.

    With `workers` above 1 the tasks run on that many spawned processes: `function`, tasks and results are pickled. A
    worker takes its next task as soon as its last result has been received. With one or none they run here, in order.
    The first failure stops all others, as do Ctrl-C and a consumer that stops asking.

    Args:
        label: What the progress bar says.
        describe: Names a task in an error message.

    Raises:
        RegactError: Raised by `function`, as it is.
        TaskError: `function` failed otherwise, or its worker was killed; it names the task.
        DiskSpaceError: `function` met a full disk.
    """
    with progress(label, len(tasks)) as bar:
        run = _run_here if workers <= 1 or len(tasks) <= 1 else _run_on_workers
        for index, result in run(function, tasks, workers, describe):
            bar.advance()
            yield index, result


def run_apart(function: Callable[[Task], Result], task: Task, *, where: str) -> Result:
    """`function(task)`, done by a spawned process of its own, which ends with it.

    For what shall leave no trace in this process, and whose memory is to be told apart from this one's.

    Raises: as `run_tasks`; `where` names the task.
    """
    worker = _start_worker(function, 0)
    try:
        worker.give(0, task, where)
        return cast(Result, worker.take(where))
    finally:
        worker.stop()
        worker.join()


def _run_here(
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: int, describe: Callable[[Task], str]
) -> Iterator[tuple[int, Result]]:
    for index, task in enumerate(tasks):
        yield index, _attempt(function, task, describe(task))


def _run_on_workers(
    function: Callable[[Task], Result], tasks: Sequence[Task], workers: int, describe: Callable[[Task], str]
) -> Iterator[tuple[int, Result]]:
    waiting = iter(range(len(tasks)))
    pool: list[_Worker] = []

    def give_next(worker: _Worker) -> None:
        index = next(waiting, None)
        if index is not None:
            worker.give(index, tasks[index], describe(tasks[index]))

    try:
        for number in range(min(workers, len(tasks))):
            pool.append(_start_worker(function, number))
            give_next(pool[-1])
        while busy := {worker.pipe: worker for worker in pool if worker.index is not None}:
            for pipe in wait(list(busy)):
                worker = busy[cast(Connection, pipe)]
                index = cast(int, worker.index)
                result = worker.take(describe(tasks[index]))
                give_next(worker)
                yield index, cast(Result, result)
    finally:
        for worker in pool:
            worker.stop()
        for worker in pool:
            worker.join()


@dataclass(slots=True)
class _Worker:
    """A worker process as the parent sees it: `index` is the task it is at, None when it has none."""

    process: SpawnProcess
    pipe: Connection
    index: int | None = None
    finished: int = 0

    def give(self, index: int, task: object, where: str) -> None:
        self.index = index
        # A worker that is dead already shows itself in `take`, which knows its exit code.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.pipe.send((where, task))

    def take(self, where: str) -> object:
        try:
            outcome = self.pipe.recv()
        except (EOFError, OSError):  # OSError where it died halfway through a message
            self.process.join(_SECONDS_TO_END)
            raise _lost_worker_error(where, self.process.exitcode, has_worked=self.finished > 0) from None
        self.index = None
        self.finished += 1
        if isinstance(outcome, _Failure):
            outcome.error.add_note(f"In the worker process:\n{outcome.traceback}")
            raise outcome.error
        return outcome.value

    def stop(self) -> None:
        self.pipe.close()  # an idle worker ends by itself on this
        if self.index is not None:
            self.process.terminate()

    def join(self) -> None:
        self.process.join(_SECONDS_TO_END)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()


@dataclass(frozen=True, slots=True)
class _Success:
    value: object


@dataclass(frozen=True, slots=True)
class _Failure:
    error: RegactError
    traceback: str


def _start_worker(function: Callable[[Any], Any], number: int) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(function, theirs), name=f"regact-worker-{number}", daemon=True)
    # Ctrl-C reaches every process of the terminal's group. The workers inherit a mask that holds it back (a handler
    # would come too late, after seconds of imports), and the parent ends them.
    resource_tracker.ensure_running()  # starting it, as the first process does, would lift the mask
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)
    theirs.close()  # or the pipe would not end when the worker dies
    return _Worker(process, ours)


def _work(function: Callable[[Any], Any], pipe: Connection) -> None:
    """The worker process: tasks in, outcomes out, until the pipe or the parent ends."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            where, task = pipe.recv()
            try:
                pipe.send(_Success(_attempt(function, task, where)))
            except RegactError as error:
                pipe.send(_Failure(error, traceback.format_exc()))
            except (AttributeError, TypeError, pickle.PicklingError) as error:  # the result cannot be pickled
                pipe.send(_Failure(TaskError(where, f"its result cannot be sent: {error}"), traceback.format_exc()))


def _end_with_parent() -> None:
    """End this process as soon as the parent has, however that came: a new run must not meet the writers of an old."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _attempt(function: Callable[[Task], Result], task: Task, where: str) -> Result:
    """`function(task)`, with every failure as a RegactError that names the task."""
    try:
        with disk_full_as_error(where):
            return function(task)
    except RegactError:
        raise
    except MemoryError as error:
        raise TaskError(where, "out of memory", "", _FEWER_WORKERS) from error
    except Exception as error:
        raise TaskError(where, f"{type(error).__name__}: {error}") from error


def _lost_worker_error(where: str, exit_code: int | None, *, has_worked: bool) -> TaskError:
    if exit_code is not None and exit_code < 0:
        name = signal.Signals(-exit_code).name
        remedy = _FEWER_WORKERS if -exit_code == signal.SIGKILL else ""
        cause = " (the system does this when memory runs out)" if -exit_code == signal.SIGKILL else ""
        return TaskError(where, f"its worker process was killed by {name}{cause}", "", remedy)
    remedy = "" if has_worked else _MAIN_GUARD
    return TaskError(where, f"its worker process ended with exit code {exit_code}", "", remedy)
