"""Forecast and truth on small runs of this machine: within 25 % of each other.

Times are those of the cores: what else runs on a machine changes the clock's more than any forecast could know.
"""

import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from regact.dataset.sample import disk_bytes
from regact.engine import masked_crc32c, run_apart
from regact.experiment import load_experiment, open_or_build_store
from regact.model import ModelConfig
from regact.planning import plan_experiment
from regact.planning.forecast import forecast_memory, forecast_time
from regact.planning.model_probe import ModelTask, probe_model
from regact.tracks import write_bigwig
from regact.training import TrainingConfig, TransferConfig

pytestmark = [pytest.mark.slow, pytest.mark.alone]

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


PUBLIC = """
name: public
source: {format: basenji, directory: .}
dataset: {window_bp: 4096, bin_bp: 32}
model: {preset: standard, filters: [16, 24], widths: [11, 5], pools: [4, 8], head_filters: 24}
training: {epochs: 1, batch_size: 4}
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


@pytest.fixture(scope="module")
def public_data(tmp_path_factory):
    """An experiment on TFRecords with enough values for two processes: 1,056 windows of 128 bins and 1,000 tracks."""
    folder, random = tmp_path_factory.mktemp("public"), np.random.default_rng(1)
    (folder / "tfrecords").mkdir()
    labels = ["train"] * 800 + ["valid"] * 128 + ["test"] * 128
    statistics = {"num_targets": 1000, "seq_length": 4096, "target_length": 128, "pool_width": 32}
    (folder / "statistics.json").write_text(json.dumps(statistics))
    tracks = (f"{number}\tt{number}\tgone.w5\n" for number in range(1000))
    (folder / "targets.txt").write_text("index\tidentifier\tfile\n" + "".join(tracks))
    places = (f"chr1\t{4096 * row}\t{4096 * (row + 1)}\t{label}\n" for row, label in enumerate(labels))
    (folder / "sequences.bed").write_text("".join(places))
    for label in dict.fromkeys(labels):
        for number in range(-(-labels.count(label) // 64)):
            windows = range(min(64, labels.count(label) - 64 * number))
            values = random.poisson(0.4, (len(windows), 128, 1000)).astype("<f2")
            bases = random.integers(0, 4, (len(windows), 4096)).astype(np.uint8)
            records = (record_of(bases[i].tobytes(), values[i].tobytes()) for i in windows)
            (folder / "tfrecords" / f"{label}-{number}.tfr").write_bytes(zlib.compress(b"".join(records), 1))
    (folder / "public.yaml").write_text(PUBLIC)
    return folder / "public.yaml"


def record_of(sequence, target):
    """A TFRecord with the two features of Basenji's data."""

    def message(number, content):
        size, length = len(content), b""
        while size > 0x7F:
            length, size = length + bytes([size & 0x7F | 0x80]), size >> 7
        return bytes([number << 3 | 2]) + length + bytes([size]) + content

    features = {b"sequence": sequence, b"target": target}
    entries = (message(1, message(1, name) + message(2, message(1, message(1, v)))) for name, v in features.items())
    record = message(1, b"".join(entries))
    length = struct.pack("<Q", len(record))
    checksums = [struct.pack("<I", masked_crc32c(part)) for part in (length, record)]
    return length + checksums[0] + record + checksums[1]


def forecasts_and_truth(yaml, folder):
    """(forecast, truth) of everything that a plan of training says, by name."""
    run, store = folder / "run", folder / "store"
    plan = plan_experiment(load_experiment(yaml, overrides=[f"store={store}"]), out=run, device="cpu", seconds=12)
    assert plan.steps[0].basis.endswith("extrapolated; 1 process")
    training = command(
        folder / "train.json", "train", yaml, "--out", run, "--device", "cpu", "--set", f"store={store}", "--workers", 0
    )
    left_by_training = disk_bytes(run)
    judging = command(folder / "judge.json", "evaluate", run, "--split", "test", "--device", "cpu")
    build, train, judge, ridge = plan.steps
    return {
        "core time of building and training": (build.cpu_seconds + train.cpu_seconds, training["cpu_seconds"]),
        "RAM of building and training": (max(build.ram_bytes, train.ram_bytes), training["ram_bytes"]),
        "disk of the dataset": (build.disk_bytes, disk_bytes(store)),
        "disk of the run": (train.disk_bytes, left_by_training),
        "core time of judging": (judge.cpu_seconds + ridge.cpu_seconds, judging["cpu_seconds"]),
        "RAM of judging": (max(judge.ram_bytes, ridge.ram_bytes), judging["ram_bytes"]),
        "disk of judging": (judge.disk_bytes + ridge.disk_bytes, disk_bytes(run) - left_by_training),
    }


def of_an_import(yaml, folder):
    """The same of an import by two processes."""
    store = folder / "store"
    experiment = load_experiment(yaml, overrides=[f"store={store}"])
    plan = plan_experiment(experiment, out=folder / "run", device="cpu", workers=2, seconds=12)
    step = plan.steps[0]
    assert step.name == "import the dataset"
    assert step.basis.endswith("extrapolated; 2 processes")
    truth = command(folder / "import.json", "dataset", "build", yaml, "--out", store, "--workers", 2)
    return {
        "core time of importing": (step.cpu_seconds, truth["cpu_seconds"]),
        "RAM of importing": (step.ram_bytes, truth["ram_bytes"]),
        "disk of the import": (step.disk_bytes, disk_bytes(store)),
    }


def of_a_comparison(yaml, folder):
    """The same of a comparison of two models and the ridge, on a dataset that is there."""
    out, store = folder / "comparison", yaml.parent / "compared"
    settings = [f"store={store}", "compare.models=[attention_none,attention_two_sided]", "compare.splits=[test]"]
    experiment = load_experiment(yaml, overrides=[*settings, "training.epochs=2"])
    open_or_build_store(experiment, workers=1)
    plan = plan_experiment(experiment, out=out, device="cpu", seconds=15)
    assert plan.command == "compare"
    options = [option for setting in [*settings, "training.epochs=2"] for option in ("--set", setting)]
    report = folder / "compare.json"
    truth = command(report, "compare", yaml, "--out", out, "--device", "cpu", "--workers", 0, *options)
    return {
        "core time of comparing": (plan.total.cpu_seconds, truth["cpu_seconds"]),
        "RAM of comparing": (plan.total.ram_bytes, truth["ram_bytes"]),
        "disk of comparing": (plan.total.disk_bytes, disk_bytes(out)),
    }


def too_far(found):
    """What is more than 25 % off."""
    return {name: pair for name, pair in found.items() if not 0.75 <= pair[0] / pair[1] <= 1.25}


def check_within_a_quarter(found_in, yaml, folder):
    for attempt in ("first", "second"):  # whatever else began or ended in between
        (folder / attempt).mkdir()
        found = found_in(yaml, folder / attempt)
        sys.stdout.write("".join(f"\n{name}: {plan / truth:.2f}" for name, (plan, truth) in found.items()))
        if not too_far(found):
            return
    pytest.fail(f"forecast and truth: {too_far(found)}")


def test_every_step_is_within_a_quarter(experiment, tmp_path):
    check_within_a_quarter(forecasts_and_truth, experiment, tmp_path)


def test_an_import_by_two_processes_is_within_a_quarter(public_data, tmp_path):
    check_within_a_quarter(of_an_import, public_data, tmp_path)


def test_a_comparison_is_within_a_quarter(experiment, tmp_path):
    check_within_a_quarter(of_a_comparison, experiment, tmp_path)


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
