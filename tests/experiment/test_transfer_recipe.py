"""The recipe of docs/transfer.md: a trained trunk, a new head, ten tracks of one's own."""

import pandas as pd
import pytest

from regact.errors import RunError
from regact.evaluation import evaluate
from regact.experiment import load_experiment, train_experiment
from regact.training import read_card


def test_ten_own_tracks_learn_sooner_behind_a_trained_trunk(trunk, own, tmp_path):
    settings = ["transfer.parts=trunk", "transfer.freeze_epochs=2", "transfer.rate_factor=0.1"]
    plan = load_experiment(own, overrides=[f"model={{run: {trunk}}}", f"transfer.run={trunk}", *settings])
    tuned = train_experiment(plan, tmp_path / "tuned", device="cpu")
    new = train_experiment(load_experiment(own), tmp_path / "new", device="cpu")

    card = read_card(tuned)
    assert len(card["tracks"]) == 10
    assert (card["transfer"]["run"], card["transfer"]["parts"]) == (str(trunk), "trunk")
    again = load_experiment(tuned / "config.yaml")  # what the run was made with says it too
    assert again.transfer == plan.transfer
    # Of the split that neither run was trained or chosen on.
    scores = {run: evaluate(run, split="test", device="cpu").means["pearson"] for run in (tuned, new)}
    assert scores[tuned] > scores[new] + 0.05
    logs = {run: pd.read_csv(run / "log.csv")["valid_pearson"] for run in (tuned, new)}
    assert logs[tuned][1] > logs[new].max()  # the new head alone, on the frozen trunk


def test_a_trunk_that_does_not_fit_is_told_before_the_dataset_is_built(trunk, own, tmp_path):
    settings = ["transfer.parts=trunk", "model.dilated_layers=3", "model.filters=[16, 32]"]
    plan = load_experiment(own, overrides=[f"transfer.run={trunk}", f"store={tmp_path / 'store'}", *settings])
    with pytest.raises(RunError, match=r"tower block 2 has 24 filters .*; context layer 1 has layers 2, needed 3"):
        train_experiment(plan, tmp_path / "run", device="cpu")
    assert list(tmp_path.iterdir()) == []


def test_a_run_to_start_from_lies_in_the_working_directory(own, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_experiment(own, overrides=["transfer.run=runs/trunk"]).transfer.run == tmp_path / "runs/trunk"
