"""Judgements are remembered for the weights and the data that they are of, and come back as they were."""

import json
import math
import shutil

import numpy as np
import pandas as pd
import pytest

from regact.errors import RunError
from regact.evaluation import (
    KmerRidge,
    distal_pairs,
    evaluate_kmer_ridge,
    fit_kmer_ridge,
    judge,
    judge_baseline,
    judgement,
    measure_distal_accuracy,
)
from regact.evaluation.baselines import predict_kmer_ridge
from regact.model import load_model, predict_codes, preset_spec
from regact.training import TrainingConfig, train_model


@pytest.fixture(scope="module")
def run(simulated, tmp_path_factory):
    """A run of two steps: what it predicts is not good, but something."""
    spec = preset_spec("standard", tracks=16, window_bp=32_768, width=0.02)
    out = tmp_path_factory.mktemp("judged") / "run"
    training = TrainingConfig(max_steps=2, batch_size=2)
    return train_model(simulated.store, simulated.genome, spec, training, out, device="cpu")


def judged(run, data, **options):
    return judge(run, split="test", store=data.store, genome=data.genome, device="cpu", **options)


def test_distal_accuracy_is_that_of_the_runs_own_predictions(run, simulated):
    found = judged(run, simulated).distal
    pairs = distal_pairs(simulated.folder, simulated.store, "test")
    rows = np.unique(pairs["row"])
    starts = simulated.store.windows["start"].to_numpy()[rows]
    codes = np.stack([simulated.genome.contig("chr1")[start : start + 32_768] for start in starts])
    rates = predict_codes(load_model(run), codes).numpy()
    again = measure_distal_accuracy(pairs, lambda _: rates, split="test", reach_bp=7_936)
    assert found.n_promoters == again.n_promoters
    assert found.value == pytest.approx(again.value, abs=1e-6)
    assert found.reach_bp == 7_936


def test_what_is_remembered_comes_back_as_it_was(run, simulated, monkeypatch):
    first = judged(run, simulated, again=True)
    monkeypatch.setattr(judgement, "evaluate", None)
    second = judged(run, simulated)
    assert second.distal == first.distal
    pd.testing.assert_frame_equal(second.accuracy.tracks, first.accuracy.tracks)
    for name in ("predictor", "split", "ensemble", "loss", "n_windows", "n_bins"):
        assert getattr(second.accuracy, name) == getattr(first.accuracy, name)
    with pytest.raises(TypeError):
        judged(run, simulated, ensemble=True)  # another question


def test_what_other_code_made_is_judged_anew(run, simulated, monkeypatch):
    first = judged(run, simulated)
    monkeypatch.setattr(judgement, "code_digest", lambda: "another")
    assert judged(run, simulated).accuracy.loss == first.accuracy.loss
    monkeypatch.setattr(judgement, "evaluate", None)
    judged(run, simulated)  # remembered
    monkeypatch.setattr(judgement, "code_digest", lambda: "a third")
    with pytest.raises(TypeError):
        judged(run, simulated)


@pytest.mark.parametrize("change", ["weights", "store", "file"])
def test_other_weights_or_data_are_judged_anew(run, simulated, tmp_path, change):
    copy = shutil.copytree(run, tmp_path / "copy")
    judged(copy, simulated)
    memory = copy / "judged_test.json"
    if change == "file":
        memory.write_text("[1, 2")
    else:
        content = json.loads(memory.read_text())
        content["made_from"][change] = "0" * 64
        memory.write_text(json.dumps(content))
    before = memory.read_text()
    judged(copy, simulated)
    assert memory.read_text() != before


def test_other_folds_in_a_split_are_judged_anew(run, simulated, tmp_path):
    """`Store.with_roles` leaves the store's fingerprint as it is."""
    copy = shutil.copytree(run, tmp_path / "copy")
    first = judged(copy, simulated).accuracy
    other = simulated.store.with_roles(valid=["test"], test=["valid"])
    judge_on = {"split": "test", "genome": simulated.genome, "device": "cpu"}
    assert judge(copy, store=other, **judge_on).accuracy.n_windows == len(other.rows("test")) != first.n_windows
    assert judged(copy, simulated).accuracy.n_windows == first.n_windows
    floors = [
        judge_baseline(store, simulated.genome, splits=["valid"], folder=tmp_path)[0].accuracy.n_windows
        for store in (simulated.store, other)
    ]
    assert floors == [len(simulated.store.rows("valid")), len(other.rows("valid"))]


def test_numbers_that_are_not_there_come_back_as_nan(simulated, tmp_path):
    """The validation split has no promoters enough."""
    for _ in range(2):
        (found,) = judge_baseline(simulated.store, simulated.genome, splits=["valid"], folder=tmp_path)
        assert math.isnan(found.accuracy.loss)
        assert math.isnan(found.distal.value)
        assert "not computed" in str(found.distal)
    assert "NaN" not in (tmp_path / "baseline_valid.json").read_text()


def test_data_that_is_not_simulated_has_no_distal_accuracy(planted, tmp_path):
    (found,) = judge_baseline(planted.store, planted.genome, splits=["test"], folder=tmp_path)
    assert found.distal is None


def test_the_baseline_is_the_same_regression_on_every_split(planted, tmp_path):
    both = judge_baseline(planted.store, planted.genome, splits=["valid", "test"], folder=tmp_path)
    ridge = fit_kmer_ridge(planted.store, planted.genome)
    for split, found in zip(("valid", "test"), both, strict=True):
        alone = evaluate_kmer_ridge(ridge, planted.store, planted.genome, split=split)
        pd.testing.assert_frame_equal(found.accuracy.tracks, alone.tracks)
    assert isinstance(ridge, KmerRidge)


def test_counts_of_the_ridge_are_those_that_it_is_judged_by(planted):
    ridge = fit_kmer_ridge(planted.store, planted.genome)
    rows = planted.store.rows("test")
    rates = predict_kmer_ridge(ridge, planted.store, planted.genome, rows)
    assert rates.min() >= 0
    targets, mask = planted.store.read(rows)
    assert mask.all()
    judged = evaluate_kmer_ridge(ridge, planted.store, planted.genome, split="test").tracks["pearson"]
    by_hand = [
        np.corrcoef(rates[:, track].ravel(), targets[..., track].astype(float).ravel())[0, 1] for track in range(3)
    ]
    np.testing.assert_allclose(judged, by_hand, atol=1e-9)


def test_a_folder_without_weights(simulated, tmp_path):
    with pytest.raises(RunError, match=r"no card\.json"):
        judged(tmp_path, simulated)
    assert list(tmp_path.iterdir()) == []
