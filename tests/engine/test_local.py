import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.engine import available_cores, run_apart, run_tasks
from regact.errors import ContigError, DiskSpaceError, RegactError, TaskError

# Spawned workers import what they run by name, so it stands in a module of their own search path.
FUNCTIONS = """
import os, signal, time
from regact.errors import ContigError

def square(number):
    return number * number

def identity(value):
    return value

def sleep_by_size(seconds):
    time.sleep(seconds)
    return os.getpid()

def fail_at_three(number):
    if number == 3:
        raise ValueError("three is bad")
    return number

def fail_ours(number):
    raise ContigError("a.bw", "contig I", "chrI", "use --contig-alias chr")

def fill_disk(number):
    with open("/dev/full", "w") as out:
        out.write("x" * 100_000)

def killed_at_three(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number

def killed_while_sending(number):
    return Bomb()

class Bomb:
    def __reduce__(self):
        os._exit(7)

def no_memory(number):
    raise MemoryError

def unpicklable(number):
    return lambda: number

def touch_slowly(path):
    with open(path, "w"):
        pass
    time.sleep(30)
"""


@pytest.fixture(autouse=True)
def functions(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path_factory.getbasetemp() / "functions"
    folder.mkdir(exist_ok=True)
    (folder / "task_functions.py").write_text(FUNCTIONS)
    monkeypatch.syspath_prepend(str(folder))
    yield
    sys.modules.pop("task_functions", None)


def run(name: str, tasks: list[object], workers: int) -> list[tuple[int, object]]:
    function = getattr(__import__("task_functions"), name)
    return list(run_tasks(function, tasks, workers=workers, label="test", describe=lambda task: f"window {task}"))


@pytest.mark.parametrize("workers", [0, 1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 3, 30])
def test_every_result_comes_once_with_its_index(workers: int, count: int) -> None:
    assert sorted(run("square", list(range(count)), workers)) == [(i, i * i) for i in range(count)]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux's processor sets")
def test_only_the_cores_that_this_process_may_use_count() -> None:
    narrow = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
    script = f"{narrow}; from regact.engine import available_cores; print(available_cores())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout == b"1\n"
    assert available_cores() == len(os.sched_getaffinity(0))


@given(st.lists(st.integers(), max_size=20))
def test_without_workers_results_come_in_order(numbers: list[int]) -> None:
    assert list(run_tasks(abs, numbers, workers=1, label="test")) == [(i, abs(n)) for i, n in enumerate(numbers)]


def test_workers_are_other_processes_and_share_the_work_as_they_finish() -> None:
    results = run("sleep_by_size", [0.5, 0.01, 0.01, 0.01, 0.01], 2)
    processes = dict(results)
    assert os.getpid() not in processes.values()
    assert results[-1][0] == 0, "the long task is overtaken"
    assert len({processes[index] for index in (1, 2, 3, 4)}) == 1


def test_a_task_apart_has_a_process_of_its_own_each_time() -> None:
    function = __import__("task_functions").sleep_by_size
    processes = {run_apart(function, 0.0, where="a nap") for _ in range(2)}
    assert len(processes | {os.getpid()}) == 3
    assert not multiprocessing.active_children()


@pytest.mark.parametrize(
    ("name", "message"),
    [("fail_at_three", "window 3: ValueError: three is bad"), ("killed_at_three", "window 3: .*SIGKILL")],
)
def test_what_fails_apart_is_named(name: str, message: str) -> None:
    with pytest.raises(TaskError, match=message):
        run_apart(getattr(__import__("task_functions"), name), 3, where="window 3")


def test_large_tasks_and_results_pass_whole() -> None:
    arrays = [np.arange(500_000) + i for i in range(4)]
    for index, result in run("identity", list(arrays), 2):
        np.testing.assert_array_equal(result, arrays[index])


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("fail_at_three", TaskError, "^window 3: ValueError: three is bad"),
        ("fail_ours", ContigError, r"^a\.bw: contig I; needed chrI; use --contig-alias chr"),
        ("fill_disk", DiskSpaceError, "^window .: the disk is full"),
        ("no_memory", TaskError, "^window .: out of memory; use fewer --workers"),
    ],
)
def test_a_failing_task_stops_all_and_is_named(workers: int, name: str, error: type[RegactError], message: str) -> None:
    with pytest.raises(error, match=message):
        run(name, list(range(10)), workers)


def test_the_workers_traceback_is_kept_for_debugging() -> None:
    with pytest.raises(TaskError) as caught:
        run("fail_at_three", list(range(10)), 2)
    (note,) = caught.value.__notes__
    assert "in fail_at_three" in note


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("killed_at_three", "^window 3: its worker process was killed by SIGKILL .*memory.*; use fewer --workers"),
        ("killed_while_sending", "^window .: its worker process ended with exit code 7"),
        ("unpicklable", "^window .: its result cannot be sent: "),
    ],
)
def test_a_lost_worker_is_a_clear_error(name: str, message: str) -> None:
    started = time.monotonic()
    with pytest.raises(TaskError, match=message):
        run(name, list(range(10)), 2)
    assert time.monotonic() - started < 20


def test_a_script_without_the_main_guard_is_told_so(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("from regact.engine import run_tasks\nlist(run_tasks(abs, [1, 2], workers=2, label='x'))\n")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "if __name__ == '__main__':" in done.stderr.splitlines()[-1]


def test_a_consumer_may_stop_early() -> None:
    function = __import__("task_functions").sleep_by_size
    results = run_tasks(function, [0.0, 30.0, 30.0], workers=2, label="test")
    assert next(results)[0] == 0
    started = time.monotonic()
    results.close()
    assert time.monotonic() - started < 5


SCRIPT = """
import sys
from pathlib import Path
from regact.engine import run_tasks
from task_functions import touch_slowly
if __name__ == "__main__":
    tasks = [str(Path(sys.argv[1]) / str(number)) for number in range(4)]
    try:
        list(run_tasks(touch_slowly, tasks, workers=2, label="test"))
    except KeyboardInterrupt:
        sys.exit("interrupted")
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_ctrl_c_stops_quickly_and_no_worker_outlives_its_parent(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, how: signal.Signals
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "script.py").write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path_factory.getbasetemp() / "functions")}
    process = subprocess.Popen(
        [sys.executable, tmp_path / "script.py", work],
        env=environment,
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: len(list(work.iterdir())) == 2)
    workers = [int(line) for line in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
    assert len(workers) >= 2
    if how == signal.SIGINT:
        os.killpg(process.pid, how)  # a terminal sends it to the whole group
        _, errors = process.communicate(timeout=10)
        assert errors == "interrupted\n", "and no worker prints a traceback"
    else:
        process.kill()
        process.communicate(timeout=10)
    wait_until(lambda: not any(is_running(pid) for pid in workers), seconds=5)
    assert len(list(work.iterdir())) == 2, "no further task was begun"


def is_running(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)
