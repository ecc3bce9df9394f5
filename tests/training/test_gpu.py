"""On a GPU: the curve of the CPU, states that are good, and memory that is full. Skipped, saying so, without one."""

import csv

import pytest
import torch

from regact.errors import MemoryFullError, TrainingError
from regact.experiment import load_experiment, train_experiment
from regact.training import read_card

pytestmark = pytest.mark.gpu


def curve(run):
    with (run / "log.csv").open() as file:
        return [float(row["train_loss"]) for row in csv.DictReader(file)]


@pytest.fixture
def train(planted, tmp_path):
    def run(name, device, *settings, **options):
        plan = load_experiment(planted.yaml, overrides=["model.dropout=0", "model.dilated_dropout=0", *settings])
        return train_experiment(plan, tmp_path / name, device=device, **options)

    return run


@pytest.mark.parametrize("settings", [[], ["training.accumulate=2"], ["training.activation_checkpointing=true"]])
def test_it_trains_as_on_a_cpu(train, settings):
    assert curve(train("gpu", "cuda", *settings)) == pytest.approx(curve(train("cpu", "cpu", *settings)), rel=1e-2)


def test_bfloat16_stays_near_float32(train):
    low = train("low", "cuda", "training.precision=bfloat16")
    assert curve(low) == pytest.approx(curve(train("full", "cuda")), rel=0.1)


def test_a_run_goes_on(train):
    part = train("part", "cuda", "training.epochs=1")
    train("part", "cuda", "training.epochs=3", resume=True)
    assert len(curve(part)) == 3


def test_a_loss_that_is_not_finite_names_step_and_track(train):
    with pytest.raises(TrainingError, match=r"step \d+, track (fwd|rev|both): the loss is (inf|nan)"):
        train("run", "cuda", "training.learning_rate=300", "training.clip_norm=null", "training.epochs=20")


def test_full_memory_names_a_batch_size_that_trains(train, tmp_path):
    torch.cuda.set_per_process_memory_fraction(0.002)
    try:
        wide = ["model.filters=[1024,1024]", "training.batch_size=48", "training.epochs=1"]
        with pytest.raises(MemoryFullError, match=r"training\.batch_size \d+ at most") as told:
            train("run", "cuda", *wide)
        assert read_card(tmp_path / "run")["state"] == "failed"
        fits = int(told.value.needed.split()[1])
        assert 1 <= fits < 48
        train("smaller", "cuda", *wide[:1], f"training.batch_size={fits}", "training.epochs=1")
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
