"""Forecast and truth on small runs of this machine: within 25 % of each other.

Times are those of the cores: what else runs on a machine changes the clock's more than any forecast could know.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from regact.dataset.sample import disk_bytes
from regact.engine import run_apart
from regact.experiment import load_experiment
from regact.model import ModelConfig
from regact.planning import plan_experiment
from regact.planning.forecast import forecast_memory, forecast_time
from regact.planning.model_probe import ModelTask, probe_model
from regact.tracks import write_bigwig
from regact.training import TrainingConfig, TransferConfig

LENGTHS = {"chrA": 3_000_000, "chrV": 300_000, "chrT": 600_000}
YAML = """
name: small
genome: genome.fa
tracks: targets.txt
store: {store}
dataset: {{window_bp: 4096, bin_bp: 32, split: {{by: chromosomes, valid: [chrV], test: [chrT]}}}}
model: {{preset: attention_two_sided, filters: [32, 48], widths: [11, 5], pools: [4, 8], head_filters: 48, heads: 3}}
training: {{epochs: 3, batch_size: 16, patience: null}}
"""


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    """Four million bases, eight tracks, 950 windows."""
    folder, random = tmp_path_factory.mktemp("small"), np.random.default_rng(0)
    with (folder / "genome.fa").open("w") as fasta:
        for chrom, length in LENGTHS.items():
            fasta.write(f">{chrom}\n{''.join(random.choice(list('ACGT'), length))}\n")
    rows = ["identifier\tfile"]
    for number in range(8):
        chunks = ((chrom, 0, random.poisson(0.3, n).astype(np.float32)) for chrom, n in LENGTHS.items())
        write_bigwig(folder / f"{number}.bw", LENGTHS, chunks, span=1)
        rows.append(f"t{number}\t{number}.bw")
    (folder / "targets.txt").write_text("\n".join(rows) + "\n")
    (folder / "small.yaml").write_text(YAML.format(store=folder / "store"))
    return folder / "small.yaml"


def command(report, *arguments):
    """What a command took."""
    program = Path(__file__).with_name("measured_command.py")
    subprocess.run([sys.executable, str(program), str(report), *map(str, arguments)], check=True, capture_output=True)
    return json.loads(report.read_text())


def forecasts_and_truth(yaml, folder):
    """(forecast, truth) of everything that a plan says, by name."""
    run, store = folder / "run", folder / "store"
    plan = plan_experiment(load_experiment(yaml, overrides=[f"store={store}"]), out=run, device="cpu", seconds=12)
    assert plan.steps[0].basis.endswith("extrapolated; 1 process")
    training = command(
        folder / "train.json", "train", yaml, "--out", run, "--device", "cpu", "--set", f"store={store}", "--workers", 0
    )
    left_by_training = disk_bytes(run)
    judging = command(folder / "judge.json", "evaluate", run, "--split", "test", "--device", "cpu", "--no-baseline")
    build, train, judge = plan.steps
    return {
        "core time of building and training": (build.cpu_seconds + train.cpu_seconds, training["cpu_seconds"]),
        "RAM of building and training": (max(build.ram_bytes, train.ram_bytes), training["ram_bytes"]),
        "disk of the dataset": (build.disk_bytes, disk_bytes(store)),
        "disk of the run": (train.disk_bytes, left_by_training),
        "core time of judging": (judge.cpu_seconds, judging["cpu_seconds"]),
        "RAM of judging": (judge.ram_bytes, judging["ram_bytes"]),
    }


def too_far(found):
    """What is more than 25 % off."""
    return {name: pair for name, pair in found.items() if not 0.75 <= pair[0] / pair[1] <= 1.25}


@pytest.mark.slow
def test_every_step_is_within_a_quarter(experiment, tmp_path):
    for attempt in ("first", "second"):  # whatever else began or ended in between
        (tmp_path / attempt).mkdir()
        found = forecasts_and_truth(experiment, tmp_path / attempt)
        if not too_far(found):
            return
    pytest.fail(f"forecast and truth: {too_far(found)}")


@pytest.mark.slow
def test_a_size_that_was_not_reached_is_extrapolated():
    """Twice the largest batch that was tried: memory within a quarter, time of the cores within a half."""

    def task(batch_size):
        training = TrainingConfig(batch_size=batch_size)
        model = ModelConfig(preset="basenji", width=0.1)
        return ModelTask(model, 50, 65_536, 128, 0, training, TransferConfig(), "cpu", 30.0, 10**11, None)

    small, large = (run_apart(probe_model, task(n), where="a trial") for n in (4, 8))
    truth = large.training[-1]
    assert truth.size.windows == 8
    forecast = forecast_memory(small.training, truth.size, lambda one: one.ram_bytes, small.fixed_bytes)
    assert forecast == pytest.approx(truth.ram_bytes, rel=0.25)
    cores = forecast_time(small.training, truth.size, lambda one: one.cpu_seconds)
    assert cores == pytest.approx(truth.cpu_seconds, rel=0.5)
