"""Several models trained at a time give what they give one after the other."""

import pandas as pd
import pytest
import torch

from regact.comparison import compare, side_by_side
from regact.comparison.side_by_side import possible_jobs
from regact.engine import available_cores
from regact.errors import ConfigError, RegactError
from regact.experiment import ComparisonConfig
from regact.model import ModelConfig
from regact.training import read_card

told = []


def tell_epoch(name, row):
    """Where it is called in another process, nothing is told here."""
    told.append(name)


@pytest.fixture(scope="module")
def experiment(planted):
    comparison = ComparisonConfig(models=("standard", "exp_variable"), seeds=(1, 2), splits=("test",), baseline=False)
    training = planted.experiment.training.model_copy(update={"epochs": 1})
    model = ModelConfig(filters=(8, 8, 8), widths=(5, 3, 3), pools=(2, 4, 4), head_filters=8)
    return planted.experiment.model_copy(update={"compare": comparison, "training": training, "model": model})


def table(out):
    return pd.read_csv(out / "results.tsv", sep="\t").drop(columns="train_seconds")


def test_two_at_a_time_give_the_table_of_one_after_the_other(experiment, tmp_path):
    remarks = []
    together = compare(experiment, tmp_path / "two", device="cpu", jobs=2, tell=remarks.append, on_epoch=tell_epoch)
    assert "4 models, 2 at a time" in remarks
    assert told == []
    cards = [read_card(run) for run in sorted((tmp_path / "two" / "runs").glob("*_seed*"))]
    assert [card["machine"]["threads"] for card in cards] == [max(1, available_cores() // 2)] * 4
    one_by_one = compare(experiment, tmp_path / "one", device="cpu", on_epoch=tell_epoch)
    assert told == ["standard, seed 1", "exp_variable, seed 1", "standard, seed 2", "exp_variable, seed 2"]
    pd.testing.assert_frame_equal(table(together), table(one_by_one), check_exact=False, rtol=1e-3, atol=1e-4)


def test_processes_share_the_cores(monkeypatch):
    given = []
    monkeypatch.setattr(side_by_side, "available_cores", lambda: 8)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    monkeypatch.setattr(side_by_side, "run_tasks", lambda _, tasks, **__: given.extend(tasks))
    task = side_by_side.TrialTask(None, None, None, "cpu", 4, "", None)
    side_by_side.do_side_by_side([task, task], 3)
    assert [(task.threads, task.workers) for task in given] == [(2, 0), (2, 0)]


def test_what_cannot_be_done_at_a_time_is_refused_before_anything_is_written(experiment, tmp_path):
    with pytest.raises(ConfigError, match="jobs: 0; needed 1 or more"):
        compare(experiment, tmp_path / "none", jobs=0)
    with pytest.raises(ConfigError, match=r"on_epoch cannot be sent to other processes .* needed a function"):
        compare(experiment, tmp_path / "lambda", device="cpu", jobs=2, on_epoch=lambda *_: None)
    assert not any(tmp_path.iterdir())


def test_on_a_gpu_models_take_turns(monkeypatch):
    assert possible_jobs(2, "cpu", tell_epoch) == 2
    monkeypatch.setattr(side_by_side, "choose_device", lambda _: torch.device("cuda"))
    assert possible_jobs(2, "auto", tell_epoch) == 1


def test_what_goes_wrong_in_another_process_names_the_run(experiment, tmp_path):
    plan = experiment.model_copy(update={"training": experiment.training.model_copy(update={"learning_rate": 1e30})})
    with pytest.raises(RegactError, match=r"runs/(standard|exp_variable)_seed1.*learning_rate"):
        compare(plan, tmp_path / "out", device="cpu", jobs=2)
