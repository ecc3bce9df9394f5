"""kill -9 at any moment: the run goes on, and ends bit for bit as one that was never stopped.

Ten random kills here; by hand as many as wished:

    REGACT_KILLS=100 python -m pytest -s tests/training/test_kill.py -k random
"""

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

KILLS = int(os.environ.get("REGACT_KILLS", "10"))
SETTINGS = [
    "training.epochs=3",
    "training.patience=null",
    "training.schedule=warmup_cosine",
    "training.warmup_steps=4",
    "training.augmentation.reverse_complement=random",
    "training.save_minutes=1e-9",  # after every step, so that many kills come while a state is written
]


class Runs:
    """Trainings in processes of their own (fork_runs.py)."""

    def __init__(self, yaml):
        program = Path(__file__).with_name("fork_runs.py")
        self.server = subprocess.Popen(
            [sys.executable, str(program), str(yaml)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def train(self, out, *, kill_after=None, die_at=None):
        """Start or go on with the training in `out`; return how it ended, -9 where it was killed."""
        request = {"out": str(out), "settings": SETTINGS, "kill_after": kill_after, "die_at": die_at}
        self.server.stdin.write(json.dumps(request) + "\n")
        self.server.stdin.flush()
        while not (line := self.server.stdout.readline()).startswith("ended"):
            assert line, "the server is gone"
        return int(line.split()[1])

    def close(self):
        self.server.stdin.close()
        self.server.wait()
        self.server.stdout.close()


@pytest.fixture(scope="module")
def runs(planted):
    served = Runs(planted.yaml)
    yield served
    served.close()


@pytest.fixture(scope="module")
def whole(runs, tmp_path_factory):
    """A run that nobody stopped, and how long it took."""
    out = tmp_path_factory.mktemp("whole") / "run"
    assert runs.train(out.with_name("first")) == 0  # what is slow the first time
    started = time.monotonic()
    assert runs.train(out) == 0
    return out, time.monotonic() - started


def content(run):
    """Everything that a run leaves behind but the clock: tensors, progress, log and table."""
    left = {}
    for name in ("weights.safetensors", "last/state.safetensors"):
        with safe_open(run / name, framework="pt") as file:
            left |= {f"{name}:{key}": file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            progress = json.loads(file.metadata().get("progress", "{}"))
    progress.pop("seconds")
    for row in progress["history"]:
        row.pop("seconds")
    with (run / "log.csv").open() as file:
        log = [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(file)]
    return left, progress, log, (run / "metrics.tsv").read_text()


def assert_same(run, other):
    (tensors, *rest), (wanted, *others) = content(run), content(other)
    assert rest == others
    assert tensors.keys() == wanted.keys()
    assert [name for name, tensor in tensors.items() if not torch.equal(tensor, wanted[name])] == []
    assert not list(run.rglob("*.part*")), "something half written is left"


@pytest.mark.slow
def test_random_kills_change_nothing(runs, whole, tmp_path):
    unstopped, seconds = whole
    draw = random.Random(int(os.environ.get("REGACT_KILL_SEED", "0")))
    killed = compared = half_written = 0
    while killed < KILLS:
        out = tmp_path / f"run{compared}"
        while killed < KILLS and runs.train(out, kill_after=draw.uniform(0, 0.7 * seconds)) != 0:
            killed += 1
            half_written += bool(list(out.rglob(".*.part*")))
        assert runs.train(out) == 0
        assert_same(out, unstopped)
        compared += 1
    sys.stdout.write(f"{killed} kills in {compared} runs, {half_written} of them while a file was written\n")


@pytest.mark.slow
def test_a_kill_at_any_operation_on_a_file_changes_nothing(runs, whole, tmp_path):
    """The first ones, from claiming the folder to the first states, and some of the rest; all with many KILLS."""
    unstopped, _ = whole
    operations = int(unstopped.with_suffix(".operations").read_text())
    assert operations > 60
    some = range(11, operations + 1, max(1, 10 * operations // (7 * KILLS)))
    for die_at in [*range(1, 11, 2), *some]:
        out = tmp_path / f"run{die_at}"
        assert runs.train(out, die_at=die_at) == -signal.SIGKILL
        assert runs.train(out) == 0
        assert_same(out, unstopped)
