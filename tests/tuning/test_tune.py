"""A study from beginning to end: what it writes, what it survives, and what it refuses before it works."""

import math

import numpy as np
import pandas as pd
import pytest
import yaml
from matplotlib.image import imread

from regact.errors import ConfigError, DeviceError, OutputExistsError, ProgramError, RunError, TrainingError
from regact.experiment import load_experiment, train_experiment
from regact.training import read_card
from regact.tuning import trial as trial_module
from regact.tuning import tune
from regact.tuning.study import Study

SPACE = {"training.learning_rate": {"low": 1e-3, "high": 1e-1, "log": True}, "model.dilated_layers": {"choose": [1, 2]}}


def table(out):
    return pd.read_csv(out / "trials.tsv", sep="\t")


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def study(planted, told, tmp_path_factory):
    values = planted.experiment.model_dump(exclude_unset=True)
    values["tune"] = {"space": SPACE, "trials": 7, "startup_trials": 2}
    values["training"]["epochs"] = 2
    plan = type(planted.experiment).model_validate(values)
    out = tmp_path_factory.mktemp("tuning") / "study"
    return tune(plan, out, device="cpu", workers=0, tell=told.append)


def test_the_table_has_a_row_a_trial(study, told):
    rows = table(study)
    assert rows["trial"].tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert set(rows["state"]) <= {"finished", "pruned"}
    assert rows["training.learning_rate"].between(1e-3, 1e-1).all()
    assert set(rows["model.dilated_layers"]) == {1, 2}
    # The experiment's own settings come first.
    assert rows.loc[0, ["training.learning_rate", "model.dilated_layers"]].tolist() == [0.01, 2]
    for number, row in rows.set_index("trial").iterrows():
        card = read_card(study / f"trials/{number:04d}")
        assert card["best"]["pearson"] == pytest.approx(row["pearson"], abs=1e-5)
        assert card["training"]["learning_rate"] == pytest.approx(row["training.learning_rate"], rel=1e-4)
        assert card["ended"].startswith("pruned" if row["state"] == "pruned" else "all 2 epochs")
        assert row["epochs"] == len(pd.read_csv(study / f"trials/{number:04d}/log.csv"))
        assert not (study / f"trials/{number:04d}/last").exists()
    assert told[0].startswith("trial 1 of 7: training.learning_rate 0.01, model.dilated_layers 2")
    finished = rows[rows["state"] == "finished"]
    best = finished.loc[finished["pearson"].idxmax()]
    assert f"best: trial {best['trial']}, valid pearson {best['pearson']:.4f}" in told[-1]
    assert told[-1].startswith(f"7 trials: {len(finished)} finished, {7 - len(finished)} pruned, 0 failed")


def test_the_best_is_an_experiment_that_trains_to_the_same_score(study, tmp_path):
    best = load_experiment(study / "best.yaml")
    rows = table(study)
    finished = rows[rows["state"] == "finished"]
    assert best.training.learning_rate == pytest.approx(finished.loc[finished["pearson"].idxmax()].iloc[6], rel=1e-5)
    run = train_experiment(study / "best.yaml", tmp_path / "run", device="cpu", workers=0)
    assert read_card(run)["best"]["pearson"] == pytest.approx(finished["pearson"].max(), abs=1e-6)


def test_pictures_are_pictures(study):
    for name in ("importance.png", "parallel.png"):
        pixels = imread(study / name)
        assert min(pixels.shape[:2]) > 200
        assert len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)) > 20


def test_nothing_is_done_twice_and_more_trials_are_added(study, study_of):
    before = table(study)
    epochs, told = [], []
    plan = study_of(SPACE, trials=7, startup_trials=2, epochs=2)
    tune(plan, study, device="cpu", workers=0, on_epoch=lambda *row: epochs.append(row))
    assert epochs == []
    more = plan.model_copy(update={"tune": plan.tune.model_copy(update={"trials": 8})})
    tune(more, study, device="cpu", workers=0, tell=told.append, on_epoch=lambda n, row: epochs.append(n))
    assert set(epochs) == {8}
    pd.testing.assert_frame_equal(table(study).iloc[:7], before, check_dtype=False)


def test_another_study_is_refused_and_the_differences_named(study, study_of):
    other = {**SPACE, "model.dilated_layers": {"choose": [1, 2, 3]}}
    with pytest.raises(RunError, match=r"tune\.space\.model\.dilated_layers\.choose: 1,2, now 1,2,3") as caught:
        tune(study_of(other, startup_trials=2, epochs=3), study, device="cpu")
    assert "training.epochs: 2, now 3" in str(caught.value)
    with pytest.raises(OutputExistsError):
        tune(study_of(SPACE, startup_trials=2, epochs=2), study, device="cpu", resume=False)


def test_a_trial_that_fails_is_recorded_and_the_study_goes_on(study_of, tmp_path):
    # A rate of 1e30 makes the loss infinite.
    plan = study_of(
        {"training.learning_rate": {"choose": [0.01, 1e30]}}, trials=6, sampler="random", epochs=2, pruner="none"
    )
    told = []
    rows = table(tune(plan, tmp_path / "study", device="cpu", workers=0, tell=told.append))
    failed = rows[rows["training.learning_rate"] > 1]
    assert 0 < len(failed) < 6
    assert set(failed["state"]) == {"failed"}
    assert set(rows[rows["training.learning_rate"] < 1]["state"]) == {"finished"}
    assert failed["failure"].str.contains("a finite number").all()
    assert any("failed: " in line for line in told)


def test_full_memory_fails_the_trial_alone(study_of, tmp_path):
    space = {"model.head_filters": {"choose": [8, 10**13]}}  # a petabyte is more than any process can address
    rows = table(tune(study_of(space, sampler="random", trials=5), tmp_path / "study", device="cpu", workers=0))
    full = rows[rows["model.head_filters"] > 8]
    assert 0 < len(full) < 5
    assert full["failure"].str.contains("memory").all()
    assert set(rows[rows["model.head_filters"] == 8]["state"]) == {"finished"}


def test_any_other_mishap_ends_the_worker_and_leaves_the_trial_to_be_taken_up(study_of, tmp_path, monkeypatch):
    def fail(*arguments, **options):
        raise RuntimeError("device-side assert")  # after which no further trial would run either

    with monkeypatch.context() as broken:
        broken.setattr(trial_module, "train_experiment", fail)
        with pytest.raises(RuntimeError, match="device-side"):
            tune(study_of(SPACE, trials=1), tmp_path / "study", device="cpu", workers=0)
    rows = table(tune(study_of(SPACE, trials=1), tmp_path / "study", device="cpu", workers=0))
    assert rows[["state", "attempts"]].to_numpy().tolist() == [["finished", 2]]


def test_where_all_fail_the_study_ends_and_says_why(study_of, tmp_path):
    plan = study_of({"training.learning_rate": {"choose": [1e30, 1e31]}}, trials=20, epochs=2)
    with pytest.raises(TrainingError, match=r"all 5 trials failed, the last one with: .*a finite number"):
        tune(plan, tmp_path / "study", device="cpu", workers=0)
    assert len(table(tmp_path / "study")) == 5


def test_bad_trials_end_early(study_of, tmp_path):
    space = {"training.learning_rate": {"choose": [0.03, 1e-6]}}
    plan = study_of(space, trials=10, sampler="random", startup_trials=3, epochs=4)
    rows = table(tune(plan, tmp_path / "study", device="cpu", workers=0))
    pruned = rows[rows["state"] == "pruned"]
    assert len(pruned) > 0
    assert (pruned["epochs"] < 4).all()
    assert set(pruned["training.learning_rate"]) == {1e-6}
    assert rows.loc[rows["pearson"].idxmax(), "training.learning_rate"] == 0.03


def test_one_that_was_interrupted_goes_on_and_ends_the_same(study_of, study, tmp_path):
    plan, told = study_of(SPACE, trials=3, startup_trials=2, epochs=2), []

    def cut(number, row):
        if (number, row["epoch"]) == (2, 1):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune(plan, tmp_path / "study", device="cpu", workers=0, on_epoch=cut)
    assert table(tmp_path / "study")["state"].tolist() == ["finished"]
    epochs = []
    out = tune(
        plan, tmp_path / "study", device="cpu", workers=0, tell=told.append,
        on_epoch=lambda number, row: epochs.append((number, row["epoch"])),
    )  # fmt: skip
    assert told[0].startswith("trial 2 of 3 (goes on where it was cut off): ")
    assert epochs[0] == (2, 2)
    columns = ["trial", "state", "pearson", "training.learning_rate"]
    pd.testing.assert_frame_equal(table(out)[columns], table(study)[columns].iloc[:3])


def test_a_trial_that_cannot_go_on_begins_anew(study_of, tmp_path):
    plan, told = study_of(SPACE, trials=1, epochs=2), []

    def cut(number, row):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune(plan, tmp_path / "study", device="cpu", workers=0, on_epoch=cut)
    card = tmp_path / "study/trials/0001/card.json"
    card.write_text(card.read_text().replace('"batch_size": 8', '"batch_size": 4'))
    out = tune(plan, tmp_path / "study", device="cpu", workers=0, tell=told.append)
    assert "trial 1 cannot go on where it was cut off; it begins anew" in told
    assert table(out)["epochs"].tolist() == [2]


def test_overwriting_begins_anew_unless_a_worker_is_there(study_of, tmp_path):
    plan = study_of(SPACE, trials=1)
    out = tune(plan, tmp_path / "study", device="cpu", workers=0)
    other = study_of({"model.dropout": {"low": 0, "high": 0.2}}, trials=2)
    at_work = Study(out, plan.tune.model_copy(update={"trials": 2}), ()).claim()
    with at_work, pytest.raises(ProgramError, match="workers are at trials 0002"):
        tune(other, out, device="cpu", overwrite=True)
    tune(other, out, device="cpu", workers=0, overwrite=True)
    assert "model.dropout" in table(out)
    assert len(table(out)) == 2


@pytest.mark.slow
def test_a_setting_of_the_dataset_gets_a_store_for_each_value(study_of, tmp_path):
    plan = study_of({"dataset.strides.train": {"choose": [1024, 512]}}, trials=3, sampler="random")
    out = tune(plan, tmp_path / "study", device="cpu", workers=1)
    assert set(table(out)["state"]) == {"finished"}
    assert len(list((out / "stores").iterdir())) == table(out)["dataset.strides.train"].nunique() == 2
    assert yaml.safe_load((out / "best.yaml").read_text())["store"].startswith(str(out / "stores"))


def test_bad_input_leaves_nothing(study_of, tmp_path):
    with pytest.raises(ConfigError, match="did you mean model"):
        tune(study_of({"modle.width": {"choose": [1]}}), tmp_path / "a", device="cpu")
    with pytest.raises(DeviceError):
        tune(study_of(SPACE), tmp_path / "b", device="cuda:99")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/thesis.tex").touch()
    for overwrite in (False, True):
        with pytest.raises(OutputExistsError, match="a study's folder"):
            tune(study_of(SPACE), tmp_path / "thesis", device="cpu", overwrite=overwrite)
    assert [path.name for path in tmp_path.rglob("*")] == ["thesis", "thesis.tex"]


def test_no_score_at_all_is_a_failure(study_of, tmp_path, monkeypatch):
    monkeypatch.setattr(trial_module, "read_card", lambda run: {"best": {"pearson": None, "epoch": 1}, "ended": ""})
    with pytest.raises(TrainingError, match="no track varies in the validation split"):
        tune(study_of(SPACE, trials=5), tmp_path / "study", device="cpu", workers=0)
    assert table(tmp_path / "study")["pearson"].map(math.isnan).all()
