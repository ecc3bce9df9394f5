"""An experiment that names published weights: one command imports them, as it imports data."""

import numpy as np
import pytest
import yaml

from regact.cli.app import main
from regact.errors import ConfigError, RunError
from regact.experiment import load_experiment, train_experiment
from regact.model import load_model
from regact.model.conv_block import ConvBlock
from regact.planning import plan_experiment
from regact.training import read_card

PARAMS = "cnn_pool 4\ncnn_pool 8\ncnn_pool 1\nbatch_buffer 0\nn_value 0\n"


@pytest.fixture(scope="module")
def checkpoint(planted, write_checkpoint, tmp_path_factory):
    """A checkpoint of the planted experiment's tower, with random weights, and what belongs to it."""
    folder, random = tmp_path_factory.mktemp("published"), np.random.default_rng(2)
    spec = planted.experiment.model_spec(3)
    filters, widths = (*spec.tower.filters, 6), (*spec.tower.widths, 1)
    tensors, channels = {}, 4
    for number, (width, out) in enumerate(zip(widths, filters, strict=True)):
        tensors[f"cnn{number}/conv1d/kernel"] = random.normal(0, 0.3, (width, channels, out))
        for norm in ("gamma", "beta", "moving_mean", "moving_variance"):
            tensors[f"cnn{number}/batch_normalization/{norm}"] = random.uniform(0.5, 1, out)
        channels = out
    tensors["final/conv1d/kernel"], tensors["final/conv1d/bias"] = random.normal(0, 1, (1, channels, 2)), np.zeros(2)
    (folder / "params.txt").write_text(PARAMS)
    (folder / "samples.txt").write_text("a\ta.bw\tCAGE:x\na\tb.bw\tCAGE:y\n")
    (folder / "sequences.bed").write_text("chrT\t0\t2048\ttrain\n")
    write_checkpoint(folder / "model.tf", {name: np.float32(tensor) for name, tensor in tensors.items()})
    return folder


@pytest.fixture
def experiment(planted, checkpoint, tmp_path):
    """`experiment(**weights)` -> the YAML of one that starts from these weights, and the run that they become."""

    def write(**weights):
        values = planted.experiment.settings()
        values |= {"transfer": {"run": str(tmp_path / "imported"), "parts": "tower"}, "store": str(planted.store.path)}
        values["training"] |= {"epochs": 1}
        files = {"index": "model.tf.index", "params": "params.txt", "samples": "samples.txt"}
        values["weights"] = {"format": "basenji_2018", **files, "trained_on": "sequences.bed", **weights}
        (checkpoint / "own.yaml").write_text(yaml.safe_dump(values))
        return checkpoint / "own.yaml", tmp_path / "imported"

    return write


def test_training_imports_what_it_starts_from(experiment, tmp_path):
    path, run = experiment()
    told = []
    tuned = train_experiment(path, tmp_path / "tuned", device="cpu", tell=told.append)
    assert told[0] == f"{run} is not there; importing its weights"
    assert "1 identifiers stand there again" in told[1]
    assert read_card(run)["tracks"] == ["a", "a_2"]
    assert "2 of 12 test windows share bases" in told[-1]
    blocks = [m for m in load_model(run).tower.modules() if isinstance(m, ConvBlock)]
    assert len(blocks) == 2
    assert read_card(tuned)["transfer"]["run"] == str(run)
    told.clear()
    train_experiment(load_experiment(tuned / "config.yaml"), tmp_path / "again", device="cpu", tell=told.append)
    assert not any("importing" in remark for remark in told)


def test_a_comparison_is_one_command(experiment, tmp_path, capsys):
    path, run = experiment()
    options = ["--set", "compare.models=[basenji]", "--set", "compare.splits=[valid]", "--device", "cpu"]
    with pytest.raises(SystemExit) as ended:
        main(["compare", str(path), "--out", str(tmp_path / "comparison"), *options])
    assert ended.value.code == 0, capsys.readouterr().err
    assert read_card(run)["state"] == "imported"
    assert read_card(tmp_path / "comparison/runs/basenji")["transfer"]["run"] == str(run)


def test_a_plan_leaves_no_run_behind(experiment, tmp_path):
    path, run = experiment()
    plan = plan_experiment(path, out=tmp_path / "tuned", device="cpu", seconds=1)
    assert [step.name for step in plan.steps][1] == "train basenji"
    assert plan.remarks[-1].startswith("warning: 2 of 12 test windows share bases with windows that " + str(run))
    assert not run.exists()


def test_what_is_wrong_is_told_before_the_work(experiment, planted, tmp_path, monkeypatch):
    path, run = experiment(index="elsewhere.index")
    with pytest.raises(ConfigError, match=r"weights\.index: .*elsewhere\.index does not exist"):
        load_experiment(path)
    path, run = experiment()
    with pytest.raises(ConfigError, match=r"weights without transfer\.run"):
        load_experiment(path, overrides=["transfer={}"])
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("LOCAL_RANK", "0")
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", "29500")
    with pytest.raises(RunError, match="2 processes of torchrun would all import it"):
        train_experiment(load_experiment(path), tmp_path / "tuned", device="cpu")
    assert not run.exists()
