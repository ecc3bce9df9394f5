"""`regact train` and `regact evaluate` as users run them, each in a process of its own."""

import json
import os
import subprocess
import sys

import pytest
import torch
import yaml

from regact.experiment import train_experiment


def regact(*arguments, cwd=None):
    environment = {name: value for name, value in os.environ.items() if name != "REGACT_DATA"}
    return subprocess.run(
        [sys.executable, "-c", "from regact.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        env=environment,
    )


@pytest.mark.slow
def test_from_an_experiment_to_a_judged_run(planted, tmp_path):
    command = ("train", planted.yaml, "--out", "runs/x", "--store", "store", "--device", "cpu", "--seed", 3)
    first = regact(*command, "--set", "training.epochs=2", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert first.stdout == "runs/x\n"
    assert "store is not there; building it" in first.stderr
    assert first.stderr.count("valid Pearson") == 2
    settings = yaml.safe_load((tmp_path / "runs/x/config.yaml").read_text())
    assert (settings["training"]["seed"], settings["model"]["seed"]) == (3, 3)  # where heads start, too

    again = regact(*command, cwd=tmp_path)
    assert again.returncode == 1
    assert len(again.stderr.strip().splitlines()) == 1
    assert "already there" in again.stderr

    resumed = regact(*command, "--set", "training.epochs=4", "--resume", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert len((tmp_path / "runs/x/log.csv").read_text().splitlines()) == 5

    judged = regact("evaluate", "runs/x", "--split", "test", "--device", "cpu", cwd=tmp_path)
    assert judged.returncode == 0, judged.stderr
    assert "split test: 12 windows" in judged.stderr
    header, cage, chip, mean, path, *floor = judged.stdout.splitlines()
    assert header.split("\t")[:3] == ["assay", "tracks", "pearson"]
    assert [line.split("\t")[:2] for line in (cage, chip, mean)] == [["CAGE", "2"], ["CHIP", "1"], ["all", "3"]]
    assert path == "runs/x/metrics_test.tsv"
    assert floor[0] == header
    assert floor[-1] == "runs/x/metrics_test_ridge.tsv"
    assert len((tmp_path / path).read_text().splitlines()) == 4


def test_every_mistake_of_an_experiment_is_a_line_of_its_own(planted, tmp_path):
    result = regact("train", planted.yaml, "--out", tmp_path / "run", "--set", "model.widht=1", "--set", "nmae=x")
    assert result.returncode == 1
    assert [line.rpartition("yaml: ")[2] for line in result.stderr.strip().splitlines()] == [
        "model.widht: unknown key; did you mean width?",
        "nmae: unknown key; did you mean name?",
    ]
    assert not (tmp_path / "run").exists()


def test_a_folder_that_is_no_run(tmp_path):
    result = regact("evaluate", tmp_path, "--split", "test")
    assert result.returncode == 1
    assert "no card.json" in result.stderr


@pytest.mark.slow
def test_a_run_starts_from_the_tower_of_another(planted, tmp_path):
    train_experiment(planted.experiment, tmp_path / "runs/first", device="cpu")
    command = ("train", planted.yaml, "--device", "cpu", "--set", "training.epochs=1")
    tower = ("--tower", "runs/first", "--set", "transfer.freeze_epochs=1")
    second = regact(*command, "--out", "runs/second", *tower, cwd=tmp_path)
    assert second.returncode == 0, second.stderr
    start = json.loads((tmp_path / "runs/second/card.json").read_text())["transfer"]
    assert (start["run"], start["freeze_epochs"]) == (str(tmp_path / "runs/first"), 1)

    wider = regact(*command, "--out", "runs/third", *tower, "--set", "model.filters=[20,28]", cwd=tmp_path)
    assert wider.returncode == 1
    assert wider.stderr.count("tower block") == 2
    assert len(wider.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "runs/third").exists()


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="for machines without CUDA")
def test_a_device_that_is_missing_is_one_line_before_any_work(planted, tmp_path):
    run = train_experiment(planted.experiment, tmp_path / "run", device="cpu")
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()}
    again = regact("train", planted.yaml, "--out", run, "--resume", "--device", "cuda")
    assert again.returncode == 1
    (line,) = again.stderr.splitlines()
    assert line.startswith("regact: error: --device cuda: torch")
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()} == before
    several = regact("train", planted.yaml, "--out", run, "--resume", "--device", "cpu", "--devices", 2)
    assert several.returncode == 1
    assert "a program that is no file" in several.stderr
