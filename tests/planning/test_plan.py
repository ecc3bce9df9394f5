"""Plans of small experiments: every step is there, what is wrong is told, nothing is left behind."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from regact.cli.app import main
from regact.errors import ConfigError, MachineError, RunError
from regact.experiment import ComparisonConfig, load_experiment
from regact.experiment.comparison_config import PretrainConfig
from regact.planning import Machine, find_machine, plan_experiment
from regact.planning.data_probe import few_windows, planned_store, share_of_windows
from regact.training import TransferConfig

QUICK = 1.0  # seconds: everything is measured as shortly as can be


@pytest.fixture(scope="module")
def compared(planted):
    """Two models, two seeds, one tower for both, on a dataset that is there."""
    comparison = ComparisonConfig(
        models=("basenji", {"name": "shallow", "dilated_layers": 1}),
        seeds=(1, 2),
        splits=("valid", "test"),
        budget={"epochs": 2},
        pretrain=PretrainConfig(model={"name": "tower", "preset": "basenji"}, epochs=1, freeze_epochs=1),
    )
    return planted.experiment.model_copy(update={"compare": comparison})


@pytest.fixture(scope="module")
def plan_of_comparison(compared, tmp_path_factory):
    return plan_experiment(compared, out=tmp_path_factory.mktemp("out"), device="cpu", seconds=QUICK)


@pytest.fixture(scope="module")
def plan_of_training(planted, tmp_path_factory):
    """A plan of training on a dataset that is not there, and the folder that it worked in."""
    folder = tmp_path_factory.mktemp("plan")
    settings = [f"store={folder / 'store'}", "training.patience=null"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(folder))
        plan = load_experiment(planted.yaml, overrides=settings)
        return plan_experiment(plan, out=folder / "run", device="cpu", seconds=QUICK), folder


def test_training_on_a_dataset_that_is_not_there(plan_of_training):
    found, folder = plan_of_training
    build, train, judge, ridge = found.steps
    assert (build.name, train.name, judge.name) == ("build the dataset", "train basenji", "judge basenji on test")
    assert ridge.name == "fit and judge the 4-mer ridge"  # `regact evaluate` does so too
    assert ridge.basis == "measured on 60 windows, extrapolated to 72"  # 48 to fit it, 12 to choose, 12 to judge
    assert build.basis == "measured on 72 of its 72 windows; 1 process"
    assert build.passing_bytes == 72 * 32 * 3 * 2  # all values as float16, before they are compressed
    assert train.basis == "measured at 8 windows of 1,024 bp; 3 epochs of 6 steps"
    assert judge.basis == "measured at 8 windows of 1,024 bp; 12 windows"
    assert not train.at_most
    assert all(step.ram_bytes > 2e8 and step.seconds > 0 and step.cpu_seconds > 0 for step in found.steps)
    assert all(step.gpu_bytes is None for step in found.steps)
    assert found.command == "train"
    assert found.total.seconds == pytest.approx(sum(step.seconds for step in found.steps))
    assert found.machine.cores == find_machine("cpu").cores
    assert list(folder.iterdir()) == []  # nothing was built, and what was tried is gone


def test_a_comparison_has_all_its_models_seeds_and_its_tower(plan_of_comparison, compared):
    assert plan_of_comparison.command == "compare"
    assert [step.name for step in plan_of_comparison.steps] == [
        "open the dataset",
        "fit and judge the 4-mer ridge",
        "train basenji, whose tower all get",
        "train basenji, 2 seeds",
        "judge basenji on valid and test, 2 seeds",
        "train shallow, 2 seeds",
        "judge shallow on valid and test, 2 seeds",
        "write tables and page",
    ]
    by_name = {step.name: step for step in plan_of_comparison.steps}
    assert by_name["open the dataset"].disk_bytes == 0
    tower, twice = by_name["train basenji, whose tower all get"], by_name["train basenji, 2 seeds"]
    assert "1 epochs" in tower.basis
    assert "2 epochs" in twice.basis
    assert 1.5 * tower.disk_bytes < twice.disk_bytes < 2.5 * tower.disk_bytes
    assert "24 windows" in by_name["judge basenji on valid and test, 2 seeds"].basis


def test_what_the_asking_process_holds_does_not_count(compared, plan_of_comparison):
    """As in a notebook with data in memory: a quarter of a gigabyte here adds nothing there."""
    held = np.ones(2**25)
    plan = plan_experiment(compared, out="out", device="cpu", seconds=QUICK)
    for before, now in zip(plan_of_comparison.steps, plan.steps, strict=True):
        assert now.ram_bytes == pytest.approx(before.ram_bytes, abs=held.nbytes / 3), now.name


def test_what_training_would_refuse_is_refused(planted, compared, tmp_path):
    experiment = planted.experiment
    absent = experiment.model_copy(update={"transfer": TransferConfig(run=tmp_path / "nowhere")})
    with pytest.raises(RunError, match="nowhere"):
        plan_experiment(absent, device="cpu")
    with pytest.raises(ConfigError, match="no model is listed"):
        plan_experiment(experiment, command="compare", device="cpu")
    pretrain = compared.compare.pretrain.model_copy(update={"keep_bins": True})
    shifted = compared.model_copy(update={"compare": compared.compare.model_copy(update={"pretrain": pretrain})})
    with pytest.raises(ConfigError, match=r"transfer\.keep_bins: .*max_shift_bp is 3"):
        plan_experiment(shifted, device="cpu")


def test_a_machine_too_small_is_refused_with_the_numbers(plan_of_training):
    found, folder = plan_of_training
    small = replace(found, machine=Machine("cpu", 2, ram_bytes=10**8, disk_bytes=10**4))
    with pytest.raises(MachineError) as caught:
        small.check()
    ram, disk = caught.value.problems
    assert re.fullmatch(r"0\.\d\d GB of RAM needed to (build|train|judge|fit) .+, 0\.10 GB free", ram)
    steps = "build the dataset, train basenji, judge basenji on test, fit and judge the 4-mer ridge"
    assert disk.endswith(f"below {folder} ({steps}), 0.00 GB free")


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["plan", *map(str, arguments)])
    return ended.value.code, *capsys.readouterr()


def test_on_the_command_line(planted, tmp_path, capsys):
    arguments = (planted.yaml, "--device", "cpu", "--seconds", QUICK, "--out", tmp_path)
    code, out, err = run(capsys, *arguments, "--ram", "0.1", "--disk", "0")
    assert code == 1
    header, *rows = [line.split("\t") for line in out.splitlines()]
    assert header == ["step", "time", "core time", "RAM GB", "GPU GB", "disk GB", "for a time GB", "from"]
    steps = ["open the dataset", "train basenji", "judge basenji on test", "fit and judge the 4-mer ridge", "in all"]
    assert [row[0] for row in rows] == steps
    assert "measuring took" in err
    assert "--gpu-memory" not in err
    lines = [line for line in err.splitlines() if line.startswith("regact: error: plan of planted: ")]
    assert len(lines) == 2
    assert "0.10 GB free" in lines[0]
    code, out, err = run(capsys, *arguments, "--preset", "no_such_preset")
    assert code == 1
    assert "no_such_preset" in err


def test_json_on_the_command_line_of_one_model(planted, tmp_path, capsys):
    preset = ("--preset", "basenji", "--set", "model.dilated_layers=1")
    options = ("--device", "cpu", "--seconds", QUICK, "--out", tmp_path, "--gpu-memory", "80", "--json")
    code, out, err = run(capsys, planted.yaml, *options, *preset)
    assert code == 0
    assert "warning: --gpu-memory is not held against anything: models are tried on cpu here" in err
    found = json.loads(out)
    names = ["open the dataset", "train basenji", "judge basenji on test", "fit and judge the 4-mer ridge"]
    assert [step["name"] for step in found["steps"]] == names
    assert found["problems"] == []
    assert found["total"]["disk_bytes"] == sum(step["disk_bytes"] for step in found["steps"])


def test_windows_of_a_dataset_that_is_not_there(planted):
    windows = planted.store.windows
    assert planned_store(planted.store.header, windows).rows("test").tolist() == planted.store.rows("test").tolist()
    few = few_windows(planted.store, 5)
    assert [len(few.rows(split)) for split in ("train", "valid", "test")] == [5, 5, 5]
    assert set(few.rows("train")) <= set(planted.store.rows("train"))
    assert len(planted.store.rows("train")) == 48


def test_a_share_of_the_windows_has_the_splits_of_all(planted):
    store = planted.store
    whole, part = (one.windows["split"].value_counts() for one in (store, share_of_windows(store, 24)))
    for split in ("train", "valid", "test"):
        assert part[split] == max(2, round(24 * whole[split] / len(store.windows)))
        assert (store.windows["split"][share_of_windows(store, 24).rows(split)] == split).all()
