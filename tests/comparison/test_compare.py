"""A comparison on planted data: what it writes, what it does not do twice, and what it refuses before it works."""

import hashlib
import json

import pandas as pd
import pytest

from regact.comparison import compare
from regact.errors import ConfigError, OutputExistsError, RunError
from regact.evaluation import MEASURES, evaluate, judgement
from regact.experiment import ComparisonConfig
from regact.model import cost, load_spec
from regact.training import TransferConfig, read_card


def experiment(
    planted, models=("standard", {"preset": "basenji", "dilated_layers": 2, "dilated_filters": 8}), **config
):
    model = planted.experiment.model.model_copy(update={"preset": "standard"})
    common = type(model)(**model.model_dump(include={"preset", "filters", "widths", "pools", "head_filters"}))
    comparison = ComparisonConfig(models=models, **config)
    training = planted.experiment.training.model_copy(update={"epochs": 2})
    return planted.experiment.model_copy(update={"model": common, "compare": comparison, "training": training})


def untimed(table):
    return table.drop(columns="train_seconds")


@pytest.fixture(scope="module")
def comparison(planted, tmp_path_factory):
    out = tmp_path_factory.mktemp("comparison") / "out"
    return compare(experiment(planted), out, device="cpu", workers=0)


def results(out):
    return pd.read_csv(out / "results.tsv", sep="\t")


def test_results_have_a_row_per_model_and_split(comparison):
    table = results(comparison)
    assert table[["model", "split"]].to_numpy().tolist() == [
        [model, split] for model in ("4-mer ridge", "standard", "basenji") for split in ("valid", "test")
    ]
    basenji = table[(table["model"] == "basenji") & (table["split"] == "test")].iloc[0]
    assert (basenji["dilated_layers"], basenji["attention_layers"], basenji["reach_bp"]) == (2, 0, 6 * 32)
    assert basenji["epochs"] == 2
    spec = load_spec(comparison / "runs/basenji")
    assert spec.context[0].filters == 8
    means = evaluate(comparison / "runs/basenji", split="test", device="cpu").means
    for measure in MEASURES:
        assert basenji[measure] == pytest.approx(means[measure], abs=1e-5)
    assert basenji["pearson"] == pytest.approx((2 * basenji["pearson_CAGE"] + basenji["pearson_CHIP"]) / 3, abs=1e-5)
    assert "distal_accuracy" not in table  # this data is not simulated


def test_the_page_names_models_and_floor(comparison):
    text = (comparison / "report.html").read_text()
    assert "<h1>standard, basenji</h1>" in text
    assert "4-mer ridge" in text
    assert "distal accuracy" not in text


def test_nothing_is_done_twice(planted, comparison, monkeypatch):
    before = {name: (comparison / "runs" / name / "log.csv").read_text() for name in ("standard", "basenji")}
    told = []
    monkeypatch.setattr(judgement, "evaluate", None)  # to call it would be an error
    monkeypatch.setattr(judgement, "fit_kmer_ridge", None)
    table = results(comparison)
    again = compare(experiment(planted), comparison, device="cpu", workers=0, on_epoch=lambda *row: told.append(row))
    assert told == []
    assert {name: (again / "runs" / name / "log.csv").read_text() for name in before} == before
    pd.testing.assert_frame_equal(results(again), table)


def test_one_that_was_cut_goes_on_and_ends_the_same(planted, comparison, tmp_path):
    plan, epochs = experiment(planted), []

    def cut(name, row):
        epochs.append((name, row["epoch"]))
        if epochs[-1] == ("basenji", 1):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(plan, tmp_path / "out", device="cpu", workers=0, on_epoch=cut)
    assert set(results(tmp_path / "out")["model"]) == {"4-mer ridge", "standard"}
    told = []
    compare(
        plan, tmp_path / "out", device="cpu", workers=0, tell=told.append, on_epoch=lambda *row: epochs.append(row[0])
    )
    assert epochs == [("standard", 1), ("standard", 2), ("basenji", 1), "basenji"]
    assert [line for line in told if line.startswith("model ")] == ["model 1 of 2: standard", "model 2 of 2: basenji"]
    pd.testing.assert_frame_equal(untimed(results(tmp_path / "out")), untimed(results(comparison)))


def test_other_settings_are_refused_before_any_training(planted, comparison):
    plan = experiment(planted, models=("exp_variable", {"preset": "basenji", "dilated_layers": 3}))
    with pytest.raises(RunError, match="made with another model"):
        compare(plan, comparison, device="cpu", workers=0)
    assert not (comparison / "runs/exp_variable").exists()


def test_what_no_table_can_name_is_told_before_any_training(planted, tmp_path, monkeypatch):
    monkeypatch.delitem(cost._DISTANCE_NAMES, "variable")  # as of a distance function that somebody has just added
    with pytest.raises(KeyError):
        compare(experiment(planted, models=("standard", "exp_variable")), tmp_path / "out", device="cpu", workers=0)
    assert not list(tmp_path.rglob("log.csv"))


def test_overwriting_begins_anew(planted, tmp_path):
    plan = experiment(planted, models=("standard",), splits=("valid",), baseline=False)
    out = compare(plan, tmp_path / "out", device="cpu", workers=0)
    assert results(out)["model"].tolist() == ["standard"]
    started = json.loads((out / "runs/standard/card.json").read_text())
    with pytest.raises(OutputExistsError):
        compare(plan, out, device="cpu", workers=0, resume=False)
    epochs = []
    compare(plan, out, device="cpu", workers=0, overwrite=True, on_epoch=lambda *row: epochs.append(row))
    assert len(epochs) == 2
    assert json.loads((out / "runs/standard/card.json").read_text())["store"] == started["store"]


def test_a_folder_of_something_else_is_left_alone(planted, tmp_path):
    (tmp_path / "thesis.tex").touch()
    for overwrite in (False, True):
        with pytest.raises(OutputExistsError, match="a comparison's folder"):
            compare(experiment(planted), tmp_path, device="cpu", workers=0, overwrite=overwrite)
    assert (tmp_path / "thesis.tex").exists()


def test_a_project_with_runs_of_its_own_is_left_alone(planted, tmp_path):
    """`runs` is where `regact train` is told to write, too: `--out . --overwrite` must not take the project away."""

    def refused(found, overwrite):
        with pytest.raises(OutputExistsError, match=rf"with {found} in it; needed a comparison's folder"):
            compare(experiment(planted), tmp_path, device="cpu", workers=0, overwrite=overwrite)

    for path in ("runs/yeast", "runs/standard"):
        (tmp_path / path).mkdir(parents=True)
        (tmp_path / path / "card.json").write_text("{}")
    refused("runs/yeast", overwrite=True)
    (tmp_path / "data").mkdir()
    refused("data", overwrite=False)
    refused("data, runs/yeast", overwrite=True)
    (tmp_path / "results.tsv").touch()  # now it is one, with something else in it
    refused("data", overwrite=True)
    assert (tmp_path / "runs/yeast/card.json").exists()


def test_an_experiment_without_models(planted, tmp_path):
    with pytest.raises(ConfigError, match=r"compare\.models: no model is listed"):
        compare(planted.experiment, tmp_path / "out", device="cpu")
    assert not (tmp_path / "out").exists()


def test_every_model_that_does_not_fit_is_told(planted, tmp_path):
    plan = experiment(planted, models=("standrad", {"preset": "standard", "heads": 3}, "basenji"))
    with pytest.raises(ConfigError) as caught:
        compare(plan, tmp_path / "out", device="cpu")
    first, second = caught.value.problems
    assert first.startswith("standrad: preset 'standrad' is unknown; did you mean standard?")
    assert second.startswith("standard: heads: without meaning for preset standard")
    assert not (tmp_path / "out").exists()


def test_a_split_without_windows_is_told_before_anything_is_trained(planted, tmp_path):
    plan = experiment(planted, baseline=False)
    alone = type(plan.dataset).model_validate(
        plan.dataset.model_dump() | {"split": {"by": "chromosomes", "valid": ["chrV"]}}
    )
    plan = plan.model_copy(update={"dataset": alone, "store": tmp_path / "store"})
    with pytest.raises(ConfigError, match=r"compare\.splits: no windows of test in .*store \(it has train, valid\)"):
        compare(plan, tmp_path / "out", device="cpu", workers=0)
    assert list((tmp_path / "out").rglob("*.json")) == []


def test_finished_runs_are_not_trained_again_when_their_state_is_gone(planted, comparison):
    for state in comparison.glob("runs/*/last/state.safetensors"):
        state.unlink()
    weights = {path: path.read_bytes() for path in comparison.glob("runs/*/weights.safetensors")}
    table = results(comparison)
    compare(experiment(planted), comparison, device="cpu", on_epoch=lambda *row: pytest.fail("trained again"))
    assert {path: path.read_bytes() for path in weights} == weights
    pd.testing.assert_frame_equal(results(comparison), table)


class TestPretraining:
    """One tower, trained once, for all models."""

    @pytest.fixture
    def plan(self, planted):
        models = ("standard", {"preset": "exp_constant", "name": "decays"})
        pretrain = {
            "model": {"preset": "basenji", "dilated_layers": 2, "dilated_filters": 8},
            "epochs": 3,
            "freeze_epochs": 1,
        }
        return experiment(planted, models=models, splits=("valid",), baseline=False, pretrain=pretrain)

    def test_every_model_starts_from_the_tower_of_one_run(self, plan, tmp_path):
        epochs = []
        out = compare(plan, tmp_path / "out", device="cpu", on_epoch=lambda name, row: epochs.append(name))
        assert epochs == ["pretrained"] * 3 + ["standard"] * 2 + ["decays"] * 2
        assert results(out)["tower"].tolist() == ["tower of basenji, frozen for 1 epoch"] * 2
        assert "tower of basenji, frozen for 1 epoch" in (out / "report.html").read_text()
        sha256 = hashlib.sha256((out / "pretrained/weights.safetensors").read_bytes()).hexdigest()
        for name in ("standard", "decays"):
            start = read_card(out / "runs" / name)["transfer"]
            assert (start["weights_sha256"], start["run"]) == (sha256, str(out / "pretrained"))

    def test_cut_while_the_tower_trains_it_goes_on_and_ends_the_same(self, plan, tmp_path):
        def cut(name, row):
            if row["epoch"] == 2:
                raise KeyboardInterrupt

        whole = compare(plan, tmp_path / "whole", device="cpu")
        with pytest.raises(KeyboardInterrupt):
            compare(plan, tmp_path / "out", device="cpu", on_epoch=cut)
        epochs = []
        out = compare(
            plan, tmp_path / "out", device="cpu", on_epoch=lambda name, row: epochs.append((name, row["epoch"]))
        )
        assert epochs[0] == ("pretrained", 3)
        pd.testing.assert_frame_equal(untimed(results(out)), untimed(results(whole)))
        epochs.clear()
        compare(plan, out, device="cpu", on_epoch=lambda *row: epochs.append(row))
        assert epochs == []

    def test_towers_that_do_not_fit_are_told_of_every_model_before_any_work(self, plan, tmp_path):
        models = ("standard", {"preset": "exp_constant", "filters": (16, 20)}, {"preset": "basenji", "widths": (9, 3)})
        other = ComparisonConfig(models=models, pretrain=plan.compare.pretrain)
        with pytest.raises(ConfigError) as caught:
            compare(plan.model_copy(update={"compare": other}), tmp_path / "out", device="cpu")
        assert list(caught.value.problems) == [
            "exp_constant cannot start from pretrained: "
            "tower block 2 has 24 filters of width 3, pool 8, needed 20 filters of width 3, pool 8",
            "basenji cannot start from pretrained: "
            "tower block 1 has 16 filters of width 11, pool 4, needed 16 filters of width 9, pool 4",
        ]
        assert not (tmp_path / "out").exists()

    def test_two_towers_are_one_too_many(self, plan, tmp_path):
        both = plan.model_copy(update={"transfer": TransferConfig(run=tmp_path)})
        with pytest.raises(ConfigError, match=r"compare\.pretrain: transfer\.run names another tower"):
            compare(both, tmp_path / "out", device="cpu")
