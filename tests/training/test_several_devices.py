"""Several processes train as one: the same curve, one word, one folder; whoever starts them."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from regact.errors import ConfigError, DeviceError, RunError, StoreError
from regact.experiment import load_experiment, train_experiment
from regact.training import open_fabric, read_card
from regact.training.launch import Launch, find_launch

REGACT = str(Path(sys.executable).with_name("regact"))
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]


@pytest.fixture
def still(planted, tmp_path):
    """The planted experiment without dropout, as a file; its store is built."""
    values = yaml.safe_load(planted.yaml.read_text())
    values |= {name: str(planted.yaml.with_name(values[name])) for name in ("genome", "tracks")}
    values["store"] = str(planted.store.path)
    values["model"] |= {"dropout": 0.0, "dilated_dropout": 0.0}
    path = tmp_path / "still.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def run(*command, **environment):
    return subprocess.run(
        command, capture_output=True, text=True, timeout=300, env=os.environ | {"OMP_NUM_THREADS": "1"} | environment
    )


def curve(folder, *columns):
    with (folder / "log.csv").open() as file:
        return [float(row[column]) for row in csv.DictReader(file) for column in columns]


def test_batch_norm_over_two_processes_is_that_of_one():
    done = run(*TORCHRUN, str(Path(__file__).with_name("share_batch.py")))
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_two_processes_of_torchrun_give_the_curve_of_one(still, tmp_path):
    settings = ["--device", "cpu", "--set", "training.accumulate=1", "--set", "training.l2=1e-3"]
    done = run(*TORCHRUN, "--no-python", REGACT, "train", str(still), "--out", str(tmp_path / "two"), *settings)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [str(tmp_path / "two")]  # the first process speaks for both
    alone = train_experiment(load_experiment(still, overrides=["training.l2=1e-3"]), tmp_path / "one", device="cpu")
    for column in ("train_loss", "valid_loss", "valid_pearson"):
        assert curve(tmp_path / "two", column) == pytest.approx(curve(alone, column), rel=2e-4)
    assert curve(tmp_path / "two", "step") == curve(alone, "step")
    assert read_card(tmp_path / "two")["machine"]["processes"] == 2
    assert (tmp_path / "two/metrics.tsv").read_text().splitlines()[0].startswith("split")


@pytest.mark.slow
def test_regact_starts_its_own_processes_and_their_run_goes_on_bit_for_bit(planted, tmp_path):
    def train(name, *more):
        out = tmp_path / name
        command = [REGACT, "train", str(planted.yaml), "--out", str(out), "--device", "cpu", "--devices", "2", *more]
        return out, run(*command)

    whole, done = train("whole", "--set", "training.epochs=2")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [str(whole)]
    assert all(line.startswith("epoch ") for line in done.stderr.splitlines()), done.stderr
    parts, done = train("parts", "--set", "training.epochs=1")
    assert done.returncode == 0, done.stderr
    plan = load_experiment(planted.yaml, overrides=["training.epochs=2"])
    with pytest.raises(RunError, match=r"machine\.processes \(2, now 1\).*--devices 2"):
        train_experiment(plan, parts, device="cpu", resume=True)
    parts, done = train("parts", "--set", "training.epochs=2", "--resume")
    assert done.returncode == 0, done.stderr
    for name in ("weights.safetensors", "last/state.safetensors"):
        one, other = load_file(whole / name), load_file(parts / name)
        assert all(torch.equal(one[key], other[key]) for key in one), name


@pytest.mark.slow
def test_what_all_processes_meet_is_told_once(still, tmp_path):
    command = ["train", str(still), "--out", str(tmp_path / "run"), "--device", "cpu"]
    diverging = ["--set", "training.learning_rate=300", "--set", "training.clip_norm=null"]
    done = run(*TORCHRUN, "--no-python", REGACT, *command, *diverging)
    assert done.returncode != 0
    told = [line for line in done.stderr.splitlines() if line.startswith("regact: error")]
    assert len(told) == 1
    assert "track" in told[0]
    assert read_card(tmp_path / "run")["state"] == "failed"
    done = run(*TORCHRUN, "--no-python", REGACT, *command)  # it is there already
    told = [line for line in done.stderr.splitlines() if line.startswith("regact: error")]
    assert len(told) == 1
    assert "already there" in told[0]


TORCHRUN_VARIABLES = {"RANK": "5", "LOCAL_RANK": "1", "WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "4", "GROUP_RANK": "1"}
SRUN_VARIABLES = {"SLURM_STEP_NUM_TASKS": "8", "SLURM_STEP_NUM_NODES": "2", "SLURM_NTASKS": "8", "SLURM_PROCID": "5"}


@pytest.mark.parametrize(
    ("environment", "devices", "launch"),
    [
        ({}, None, Launch("regact", 1)),
        ({}, 4, Launch("regact", 4)),
        ({"LOCAL_RANK": "1", "WORLD_SIZE": "4"}, 4, Launch("regact", 4)),  # what regact sets for those it starts
        (TORCHRUN_VARIABLES, None, Launch("torchrun", 4, 2)),
        (TORCHRUN_VARIABLES, 4, Launch("torchrun", 4, 2)),
        ({"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "2"}, None, Launch("torchrun", 2)),
        (SRUN_VARIABLES, None, Launch("SLURM", 4, 2)),
        ({"SLURM_NTASKS": "8", "SLURM_PROCID": "0"}, None, Launch("regact", 1)),  # in a batch script, without srun
        ({"SLURM_STEP_NUM_TASKS": "1", "SLURM_STEP_NUM_NODES": "1"}, 2, Launch("regact", 2)),
    ],
)
def test_who_starts_the_processes_is_read_from_the_environment(environment, devices, launch):
    assert find_launch(environment, devices) == launch
    assert launch.processes == launch.per_node * launch.nodes


@pytest.mark.parametrize(
    ("environment", "devices", "message"),
    [
        (TORCHRUN_VARIABLES, 2, "--devices 2: torchrun has started 4 processes"),
        (SRUN_VARIABLES | {"SLURM_STEP_NUM_TASKS": "7"}, None, "SLURM: 7 processes on 2 machines"),
        (TORCHRUN_VARIABLES | {"WORLD_SIZE": "many"}, None, "variable WORLD_SIZE: 'many'"),
    ],
)
def test_processes_that_do_not_fit_are_refused(environment, devices, message):
    with pytest.raises(DeviceError, match=message):
        find_launch(environment, devices)
    with pytest.raises(ValueError, match="devices is 0"):
        find_launch({}, 0)


def test_an_address_left_in_the_environment_does_not_lead_astray(monkeypatch):
    monkeypatch.setenv("MASTER_ADDR", "a-machine-of-another-job")
    monkeypatch.setattr(sys, "argv", [__file__])  # what would be started once more
    assert open_fabric("cpu", devices=2).strategy.cluster_environment.main_address == "127.0.0.1"


def test_slurm_variables_become_fabrics_processes(monkeypatch):
    monkeypatch.setenv("MASTER_ADDR", "")  # Fabric sets it, and nothing else would take it back
    monkeypatch.delenv("MASTER_ADDR")
    more = {"SLURM_NTASKS_PER_NODE": "4", "SLURM_NNODES": "2", "SLURM_LOCALID": "1", "SLURM_NODEID": "1"}
    for name, value in (SRUN_VARIABLES | more | {"SLURM_NODELIST": "node[7-8]", "SLURM_JOB_ID": "123"}).items():
        monkeypatch.setenv(name, value)
    fabric = open_fabric("cpu")
    environment = fabric.strategy.cluster_environment
    assert (environment.world_size(), environment.global_rank(), environment.local_rank()) == (8, 5, 1)
    assert (environment.main_address, environment.creates_processes_externally) == ("node7", True)
    monkeypatch.delenv("SLURM_NTASKS_PER_NODE")
    with pytest.raises(DeviceError, match="--ntasks-per-node"):
        open_fabric("cpu")


def test_one_numbered_device_is_not_several():
    with pytest.raises(DeviceError, match=r"finds no such device|CUDA_VISIBLE_DEVICES"):
        open_fabric("cuda:1", devices=2)


def test_every_process_needs_windows(planted, tmp_path):
    plan = load_experiment(planted.yaml, overrides=["training.accumulate=9"])
    with pytest.raises(ConfigError, match="a batch has 8 windows; needed 9 or more"):
        train_experiment(plan, tmp_path / "run", device="cpu")
    assert not (tmp_path / "run").exists()


def test_processes_started_together_do_not_build(planted, tmp_path, monkeypatch):
    plan = load_experiment(planted.yaml, overrides=[f"store={tmp_path / 'absent'}"])
    for name, value in TORCHRUN_VARIABLES.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StoreError, match=r"8 processes of torchrun would all build it.*regact dataset build"):
        train_experiment(plan, tmp_path / "run", device="cpu")
