"""`regact tune` as users run it: several processes on one study, killed and started again."""

import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

TUNE = """
tune:
  trials: 6
  startup_trials: 3
  pruner: none
  space:
    training.learning_rate: {low: 1e-3, high: 1e-1, log: true}
    model.dilated_layers: {choose: [1, 2]}
"""


@pytest.fixture
def yaml(planted, tmp_path):
    file = planted.yaml.with_name(f"{tmp_path.name}.yaml")  # beside its genome
    file.write_text(planted.yaml.read_text() + TUNE)
    return file


def start(*arguments, cwd):
    return subprocess.Popen(
        [sys.executable, "-c", "from regact.cli import main; main()", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
    )


def end(process, timeout=240):
    out, err = process.communicate(timeout=timeout)
    return process.returncode, out, err


@pytest.mark.slow
def test_two_workers_share_a_study_and_its_best_trains(yaml, tmp_path):
    command = ("tune", yaml, "--out", "study", "--store", "store", "--device", "cpu", "--set", "training.epochs=2")
    workers = [start(*command, cwd=tmp_path) for _ in range(2)]  # neither finds a store: one builds, the other waits
    ends = [end(worker) for worker in workers]
    assert [code for code, _, _ in ends] == [0, 0], ends
    assert sum("is not there; building it" in err for _, _, err in ends) == 1
    rows = pd.read_csv(tmp_path / "study/trials.tsv", sep="\t")
    assert rows["trial"].tolist() == [1, 2, 3, 4, 5, 6]
    assert set(rows["state"]) == {"finished"}
    assert rows["training.learning_rate"].nunique() == 6
    assert sum(err.count("trial ") > 2 for _, _, err in ends) == 2  # both did some
    lines = [out.splitlines() for _, out, _ in ends]
    assert lines[0] == [f"study/{name}" for name in ("trials.tsv", "best.yaml", "importance.png", "parallel.png")]
    assert "6 trials: 6 finished, 0 pruned, 0 failed" in "".join(err for _, _, err in ends)

    code, _, err = end(start("train", "study/best.yaml", "--out", "run", "--device", "cpu", cwd=tmp_path))
    assert code == 0, err
    best = float(err.strip().splitlines()[-1].partition("valid Pearson ")[2].split(",")[0])
    assert best <= rows["pearson"].max() + 1e-3


@pytest.mark.slow
def test_a_killed_worker_is_made_up_for(yaml, tmp_path):
    command = ("tune", yaml, "--out", "study", "--device", "cpu", "--set", "training.epochs=12", "--trials", 3)
    worker = start(*command, cwd=tmp_path)
    wait_for_epochs(tmp_path / "study/trials/0001/log.csv", 3, worker)
    os.kill(worker.pid, signal.SIGKILL)
    worker.communicate()
    code, _, err = end(start(*command, cwd=tmp_path))
    assert code == 0, err
    assert "trial 1 of 3 (goes on where it was cut off)" in err
    assert "trial 1: epoch 1," not in err
    rows = pd.read_csv(tmp_path / "study/trials.tsv", sep="\t")
    assert rows["state"].tolist() == ["finished"] * 3
    assert rows["attempts"].tolist() == [2, 1, 1]
    assert rows["epochs"].tolist() == [12] * 3


def wait_for_epochs(log, epochs, worker):
    for _ in range(1200):
        assert worker.poll() is None, worker.communicate()
        if log.exists() and len(log.read_text().splitlines()) > epochs:
            return
        time.sleep(0.05)
    pytest.fail(f"no {epochs} epochs in a minute")


def test_mistakes_are_a_line_each(yaml, tmp_path):
    space = "tune.space={model.heds: {choose: [1]}, name: {choose: [1]}}"
    code, _, err = end(start("tune", yaml, "--out", "x", "--set", space, cwd=tmp_path))
    assert code == 1
    assert [line.partition("tune: ")[2].partition(";")[0] for line in err.strip().splitlines()] == [
        "space.model.heds: no such setting",
        "space.name: cannot be tuned",
    ]
    assert not (tmp_path / "x").exists()
