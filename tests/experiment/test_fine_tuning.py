"""The recipe of docs/fine-tuning.md: an imported trunk, a new head, ten tracks of one's own; and its warning."""

import numpy as np
import pytest
import torch
import yaml

from regact.cli.app import main
from regact.evaluation import evaluate
from regact.experiment import load_experiment, train_experiment
from regact.model import load_model, load_spec, predict_codes
from regact.model.conv_block import ConvBlock
from regact.pretrained import import_basenji_2018
from regact.training import read_card

PARAMS = "cnn_pool 4\ncnn_pool 8\ncnn_pool 1\nlink exp_linear\nbatch_buffer 0\nn_value 0\n"


@pytest.fixture(scope="module")
def checkpoint(trunk, write_checkpoint, tmp_path_factory):
    """The trunk's weights as TensorFlow 1 would have saved them, with the windows that it was trained on."""
    model, folder = load_model(trunk), tmp_path_factory.mktemp("published")
    tensors = {}
    for number, block in enumerate(module for module in model.modules() if isinstance(module, ConvBlock)):
        norm = f"cnn{number}/batch_normalization"
        tensors[f"cnn{number}/conv1d/kernel"] = block.conv.weight.permute(2, 1, 0)
        tensors[f"{norm}/gamma"], tensors[f"{norm}/beta"] = block.norm.weight, block.norm.bias
        tensors[f"{norm}/moving_mean"] = block.norm.running_mean
        tensors[f"{norm}/moving_variance"] = block.norm.running_var
    affine = model.head.affine
    tensors["final/conv1d/kernel"] = affine.weight.reshape(affine.weight.shape[:2]).T[None]
    tensors["final/conv1d/bias"] = affine.bias
    (folder / "params.txt").write_text(PARAMS)
    (folder / "sequences.bed").write_text((trunk / "windows.bed").read_text())
    return write_checkpoint(folder / "model.tf", {name: np.asarray(t.detach()) for name, t in tensors.items()})


@pytest.fixture(scope="module")
def imported(checkpoint, tmp_path_factory):
    """The checkpoint as a run, by the command line."""
    run, folder = tmp_path_factory.mktemp("imported") / "run", checkpoint.parent
    options = ["--params", str(folder / "params.txt"), "--trained-on", str(folder / "sequences.bed")]
    with pytest.raises(SystemExit) as ended:
        main(["weights", "import-basenji-2018", str(checkpoint), str(run), "--window-bp", "1024", *options])
    assert ended.value.code == 0
    return run


def recipe(own, run, **transfer):
    """The experiment of the page: the network of the run, its trunk, a new head."""
    settings = {"parts": "trunk", "freeze_epochs": 2, "rate_factor": 0.1} | transfer
    overrides = [f"transfer.{name}={value}" for name, value in settings.items()]
    values = yaml.safe_load(own.read_text())
    values["model"] = {"run": str(run), "link": "exp"}
    path = own.with_name("fine_tuning.yaml")
    path.write_text(yaml.safe_dump(values))
    return load_experiment(path, overrides=[f"transfer.run={run}", *overrides])


def test_the_imported_trunk_is_the_one_that_was_trained(imported, trunk):
    codes = torch.randint(0, 4, (2, 1024), dtype=torch.uint8)
    ours, theirs = load_model(trunk), load_model(imported)
    x = ours.one_hot(codes)
    torch.testing.assert_close(theirs.context(theirs.embed_bins(x)), ours.context(ours.embed_bins(x)))
    assert predict_codes(theirs, codes).shape == (2, 3, 32)
    assert load_spec(imported).preset == "basenji_2018"


def test_ten_own_tracks_learn_sooner_behind_an_imported_trunk(imported, own, tmp_path):
    told = []
    plan = recipe(own, imported)
    tuned = train_experiment(plan, tmp_path / "tuned", device="cpu", tell=told.append)
    new = train_experiment(load_experiment(own), tmp_path / "new", device="cpu")
    scores = {run: evaluate(run, split="test", device="cpu").means["pearson"] for run in (tuned, new)}
    assert scores[tuned] > scores[new] + 0.05
    spec, card = load_spec(tuned), read_card(tuned)
    assert (spec.tracks, spec.tower, spec.context) == (10, load_spec(imported).tower, load_spec(imported).context)
    assert card["overlap"]["train"] == {"seen": 48, "windows": 48}
    assert (card["overlap"]["valid"]["seen"], card["overlap"]["test"]["seen"]) == (0, 0)
    assert [line for line in told if "warning" in line] == [
        "warning: 48 of 48 train windows share bases with windows that "
        f"{imported} was trained on (by coordinates; whether the genomes are the same is not known): "
        "none of those that it will be judged on does"
    ]


def test_fine_tuning_on_its_test_windows_is_warned_of(imported, own, tmp_path, capsys):
    plan = recipe(own, imported)
    values = plan.settings() | {"store": str(tmp_path / "store")}
    values["dataset"]["split"] = {"by": "chromosomes", "valid": ["chrV"], "test": ["chrA"]}
    values["training"]["epochs"] = 1
    values["transfer"]["freeze_epochs"] = 1
    (tmp_path / "leaky.yaml").write_text(yaml.safe_dump(values))
    with pytest.raises(SystemExit) as ended:
        main(["train", str(tmp_path / "leaky.yaml"), "--out", str(tmp_path / "run"), "--device", "cpu"])
    assert ended.value.code == 0
    assert "warning: 48 of 48 test windows share bases with windows that" in capsys.readouterr().err
    assert read_card(tmp_path / "run")["overlap"]["test"] == {"seen": 48, "windows": 48}
    for split, warned in (("test", True), ("valid", False)):
        with pytest.raises(SystemExit):
            main(["evaluate", str(tmp_path / "run"), "--split", split, "--device", "cpu", "--no-baseline"])
        assert ("warning: 48 of 48 test windows" in capsys.readouterr().err) == warned


def test_weights_that_say_nothing_of_their_windows_are_told_so(checkpoint, own, tmp_path):
    params = checkpoint.with_name("params.txt")
    run = import_basenji_2018(checkpoint, tmp_path / "run", params=params, window_bp=1024)
    plan, told = recipe(own, run, freeze_epochs=1), []
    short = plan.model_copy(update={"training": plan.training.model_copy(update={"epochs": 1})})
    tuned = train_experiment(short, tmp_path / "tuned", device="cpu", tell=told.append)
    assert f"warning: {run} does not say which windows it was trained on" in "\n".join(told)
    assert read_card(tuned)["overlap"] is None
