"""Models over seeds: runs that are never redone, and tables with intervals that agree with each other."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from regact.comparison import compare, list_trials
from regact.evaluation import MEASURES
from regact.experiment import ComparisonConfig

MODELS = ("standard", {"preset": "basenji", "dilated_layers": 2, "dilated_filters": 8})


def experiment(planted, models=MODELS, **config):
    model = planted.experiment.model
    common = type(model)(**model.model_dump(include={"filters", "widths", "pools", "head_filters"}))
    comparison = ComparisonConfig.model_validate({"models": models, "budget": {"epochs": 2}} | config)
    return planted.experiment.model_copy(update={"model": common, "compare": comparison})


@pytest.fixture(scope="module")
def comparison(planted, tmp_path_factory):
    """Both models with two seeds; blocks are made small, or a test split of 12 kb would have none."""
    out = tmp_path_factory.mktemp("seeds") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("regact.evaluation.blocks.LEAST_BLOCK_BP", 500)
        return compare(experiment(planted, seeds=[1, 2]), out, device="cpu", workers=0)


def table(out, name):
    return pd.read_csv(out / f"{name}.tsv", sep="\t")


def test_a_row_for_each_trial_and_split(comparison):
    rows = table(comparison, "results")
    assert rows[["model", "seed", "split"]].fillna(0).to_numpy().tolist() == [
        ["4-mer ridge", 0, "valid"], ["4-mer ridge", 0, "test"],
        ["standard", 1, "valid"], ["standard", 1, "test"],
        ["basenji", 1, "valid"], ["basenji", 1, "test"],
        ["standard", 2, "valid"], ["standard", 2, "test"],
        ["basenji", 2, "valid"], ["basenji", 2, "test"],
    ]  # fmt: skip
    assert rows["run"].dropna().unique().tolist() == [
        "runs/standard_seed1", "runs/basenji_seed1", "runs/standard_seed2", "runs/basenji_seed2"
    ]  # fmt: skip
    assert set(rows["ended"].dropna()) == {"all 2 epochs done"}
    cards = [json.loads((comparison / run / "card.json").read_text()) for run in rows["run"].dropna().unique()]
    assert [card["training"]["seed"] for card in cards] == [1, 1, 2, 2]


def test_the_summary_is_the_mean_over_seeds_with_an_interval(comparison):
    rows, summary = table(comparison, "results"), table(comparison, "summary")
    assert summary["seeds"].tolist() == [1, 2, 2] * 2
    assert (summary["blocks"] == 24).all()
    assert summary["no_interval"].isna().all()
    assert list(summary.columns[:3]) == ["model", "split", "seeds"]
    for line in summary.to_dict("records"):
        ours = rows[(rows["model"] == line["model"]) & (rows["split"] == line["split"])]
        for measure in [*MEASURES, "pearson_CAGE", "r2_log1p_CHIP"]:
            assert line[measure] == pytest.approx(ours[measure].mean(), abs=2e-6)
            assert line[f"{measure}_low"] < line[f"{measure}_high"]
        assert line["pearson_low"] < line["pearson"] < line["pearson_high"]
        for cost in ("parameters", "gmac", "train_seconds"):
            assert line[cost] == pytest.approx(ours[cost].mean(), rel=1e-4, nan_ok=True)


def test_every_pair_of_models_is_compared_in_every_measure(comparison):
    summary, found = table(comparison, "summary"), table(comparison, "differences")
    assert len(found) == 3 * 2 * len(MEASURES) * 3  # pairs, splits, all tracks and two assays
    value = summary.set_index(["split", "model"])
    for line in found.to_dict("records"):
        model, other = (value.loc[(line["split"], line[name]), line["measure"]] for name in ("model", "other"))
        assert line["difference"] == pytest.approx(model - other, abs=3e-6)
        assert line["p"] <= line["p_holm"] <= 1
        excludes_0 = line["low"] > 0 or line["high"] < 0
        assert line["differs"] == (excludes_0 and line["p_holm"] < 0.05)
    for _, family in found.groupby(["split", "measure"]):
        assert family["p_holm"].min() == pytest.approx(min(1, 3 * family["p"].min()), rel=1e-4)
    # Two epochs on a motif: what sees the motif is above what counts words.
    best = found[(found["split"] == "test") & (found["measure"] == "pearson_log1p")].set_index(["model", "other"])
    assert np.isfinite(best[["low", "high", "p"]]).all(axis=None)


def test_the_text_has_the_table_of_figure_6_for_both_splits(comparison):
    text = (comparison / "results.md").read_text()
    assert text.index("## Validation") < text.index("## Test")
    head = "| Model | Dilated Convs. | Attn. Layers | Attn. Heads | Exp. Fn. | ρ | r² | Seeds |"
    assert text.count(head) == 2
    summary = table(comparison, "summary").set_index(["split", "model"]).loc["test"]
    lines = text[text.index("## Test") :].splitlines()
    start = lines.index(head) + 2
    names = [line.split(" | ")[0].removeprefix("| ") for line in lines[start : start + 3]]
    assert names == summary["pearson"].sort_values(ascending=False).index.tolist()
    basenji = summary.loc["basenji"]
    low, high = basenji["pearson_low"], basenji["pearson_high"]
    assert f"| basenji | 2 | 0 | 0 | NONE | {basenji['pearson']:.3f} [{low:.3f}, {high:.3f}] |" in text
    assert "| ρ | CAGE | CHIP |" in text
    assert "Pairs of models that differ in ρ: " in text


def test_a_seed_that_is_added_is_all_that_is_trained(planted, comparison, monkeypatch):
    monkeypatch.setattr("regact.evaluation.blocks.LEAST_BLOCK_BP", 500)
    before, epochs = table(comparison, "results"), []
    plan = experiment(planted, seeds=[1, 2, 3])
    compare(plan, comparison, device="cpu", workers=0, on_epoch=lambda name, row: epochs.append((name, row["epoch"])))
    assert epochs == [("standard, seed 3", 1), ("standard, seed 3", 2), ("basenji, seed 3", 1), ("basenji, seed 3", 2)]
    after = table(comparison, "results")
    pd.testing.assert_frame_equal(after[: len(before)], before, check_dtype=False)
    assert table(comparison, "summary")["seeds"].tolist() == [1, 3, 3] * 2


def test_too_small_a_split_has_no_interval_and_says_why(planted, tmp_path):
    told = []
    plan = experiment(planted, models=("standard",), splits=("test",))
    out = compare(plan, tmp_path / "out", device="cpu", workers=0, tell=told.append)
    reason = "1 block of 500 kb or more with unmasked bins, needed 20"
    summary, found = table(out, "summary"), table(out, "differences")
    assert set(summary["no_interval"]) == {reason}
    assert summary.filter(regex="_(low|high)$").isna().all(axis=None)
    assert summary["pearson"].notna().all()
    assert found[["low", "high", "p", "p_holm"]].isna().all(axis=None)
    assert not found["differs"].any()
    assert f"No intervals: {reason}." in (out / "results.md").read_text()
    assert f"no intervals on split test: {reason}" in told


def test_a_budget_in_seconds_ends_each_model_after_as_long(planted, tmp_path):
    plan = experiment(planted, models=("standard",), splits=("valid",), baseline=False, budget={"seconds": 1.5})
    out = compare(plan, tmp_path / "out", device="cpu", workers=0)
    row = table(out, "results").iloc[0]
    assert row["ended"].startswith("max_minutes")
    assert row["train_seconds"] >= 1.5
    assert row["epochs"] > 2
    assert math.isfinite(row["pearson"])


def test_a_seed_draws_the_heads_start_too_unless_the_model_says_one(planted, tmp_path):
    models = ("attention_two_sided", {"name": "fixed", "preset": "attention_two_sided", "seed": 7})
    trials = list_trials(experiment(planted, models=models, seeds=[1, 2]), tmp_path)
    starts = {trial.label: trial.experiment.model_spec(3).context[0].distance.peaks for trial in trials}
    assert list(starts) == [f"{name}, seed {seed}" for seed in (1, 2) for name in ("attention_two_sided", "fixed")]
    assert starts["attention_two_sided, seed 1"] != starts["attention_two_sided, seed 2"]
    assert starts["fixed, seed 1"] == starts["fixed, seed 2"]
