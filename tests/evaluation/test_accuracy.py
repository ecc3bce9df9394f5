"""Accuracy of a run against plain numpy on all predictions at once."""

import numpy as np
import pandas as pd
import pytest
import torch

from regact.dataset.augment import reverse_complement_codes
from regact.dataset.loader import Loader
from regact.errors import DataError, DeviceError, RunError, StoreError
from regact.evaluation import MEASURES, Accuracy, evaluate
from regact.evaluation.ensemble import ensemble_rate, mean_over_strands, shifted_codes
from regact.experiment import open_or_build_store
from regact.model import load_model, predict_codes
from regact.training import TrainingConfig, train_model


@pytest.fixture(scope="module")
def run(planted, tmp_path_factory):
    config = TrainingConfig(**{**planted.experiment.training.model_dump(), "epochs": 6, "patience": None})
    out = tmp_path_factory.mktemp("runs") / "run"
    return train_model(planted.store, planted.genome, planted.experiment.model_spec(3), config, out, device="cpu")


def unmasked_arrays(planted, run, split):
    """Predicted and measured counts of a split's unmasked bins, (track, bin) float64, by no code of evaluate's."""
    model = load_model(run)
    batch = next(Loader(planted.store, planted.genome, split, batch_size=1000).epoch(0))
    rate = predict_codes(model, batch.codes).numpy().astype(float)
    mask = batch.mask.numpy()
    predicted = np.stack([rate[:, track][mask] for track in range(3)])
    measured = np.stack([batch.targets.numpy().astype(float)[..., track][mask] for track in range(3)])
    return predicted, measured


@pytest.mark.parametrize("split", ["valid", "test"])
def test_accuracy_equals_numpy_on_all_bins_at_once(planted, run, split):
    accuracy = evaluate(run, split=split, device="cpu", batch_size=5)
    x, y = unmasked_arrays(planted, run, split)
    for suffix, (p, t) in {"": (x, y), "_log1p": (np.log1p(x), np.log1p(y))}.items():
        pearson = [np.corrcoef(a, b)[0, 1] for a, b in zip(p, t, strict=True)]
        r2 = 1 - ((p - t) ** 2).sum(1) / ((t - t.mean(1, keepdims=True)) ** 2).sum(1)
        np.testing.assert_allclose(accuracy.tracks[f"pearson{suffix}"], pearson, atol=1e-5)
        np.testing.assert_allclose(accuracy.tracks[f"r2{suffix}"], r2, atol=1e-5)
    assert accuracy.loss == pytest.approx((x - y * np.log(x)).mean(), rel=1e-4)
    assert (accuracy.split, accuracy.n_windows, accuracy.n_bins) == (split, 12, y.shape[1])
    assert set(accuracy.tracks["split"]) == {split}


def test_validation_in_training_is_the_same_measurement(run):
    logged = pd.read_csv(run / "metrics.tsv", sep="\t")
    again = evaluate(run, split="valid", device="cpu").tracks
    assert list(logged.columns) == list(again.columns)
    for measure in MEASURES:
        np.testing.assert_allclose(logged[measure], again[measure], atol=1e-5)


def test_the_batch_size_changes_nothing(run):
    one, all_at_once = (evaluate(run, split="test", device="cpu", batch_size=n) for n in (1, 12))
    for measure in MEASURES:
        np.testing.assert_allclose(one.tracks[measure], all_at_once.tracks[measure], rtol=1e-5)


def test_tables_name_the_split_and_leave_out_tracks_without_variance(tmp_path):
    tracks = pd.DataFrame({"split": "test", "identifier": list("abc"), "assay": ["X", "X", "Y"], "description": ""})
    for measure in MEASURES:
        tracks[measure] = [0.2, np.nan, 0.6]
    accuracy = Accuracy("x", "test", False, 1.0, 3, 30, tracks)
    assert accuracy.without_variance == ["b"]
    assert accuracy.means["pearson"] == pytest.approx(0.4)
    assert accuracy.assays[["assay", "tracks", "r2"]].to_numpy().tolist() == [["X", 1, 0.2], ["Y", 1, 0.6]]
    written = pd.read_csv(accuracy.to_table(tmp_path / "t.tsv"), sep="\t", keep_default_na=False)
    assert written["pearson"].tolist() == ["0.2", "NaN", "0.6"]
    assert set(written["split"]) == {"test"}


def test_the_mean_over_strands_commutes_with_the_reverse_complement(planted, run):
    model = load_model(run)
    strand_pair = torch.from_numpy(planted.store.sheet.strand_pair)
    codes = next(Loader(planted.store, planted.genome, "test", batch_size=3).epoch(0)).codes
    with torch.no_grad():
        forward = mean_over_strands(model, codes, strand_pair)
        backward = mean_over_strands(model, reverse_complement_codes(codes), strand_pair)
    torch.testing.assert_close(backward, forward.flip(2)[:, strand_pair])


def test_shifted_sequence_is_the_neighbouring_genome(planted):
    rows = torch.from_numpy(planted.store.rows("test"))[:4]
    here, right = (shifted_codes(planted.store, planted.genome, rows, shift) for shift in (0, 7))
    assert torch.equal(here[:, 7:], right[:, :-7])
    loaded = next(Loader(planted.store, planted.genome, "test", batch_size=4).epoch(0)).codes
    assert torch.equal(here, loaded)


def test_the_ensemble_is_the_mean_of_six_predictions(planted, run):
    model, store = load_model(run), planted.store
    rows = torch.from_numpy(store.rows("test"))[:3]
    six = []
    for shift in (-1, 0, 1):
        codes = shifted_codes(store, planted.genome, rows, shift)
        other = predict_codes(model, reverse_complement_codes(codes))
        six += [predict_codes(model, codes), other.flip(2)[:, torch.from_numpy(store.sheet.strand_pair)]]
    with torch.no_grad():
        found = ensemble_rate(model, store, planted.genome, rows)
    torch.testing.assert_close(found, torch.stack(six).mean(dim=0))


def test_the_ensemble_is_another_and_no_worse_prediction(run):
    alone, together = (evaluate(run, split="test", device="cpu", ensemble=e) for e in (False, True))
    assert together.ensemble
    assert together.means["pearson"] != alone.means["pearson"]
    assert together.means["pearson"] > alone.means["pearson"] - 0.05


def test_what_cannot_be_judged(planted, run, tmp_path):
    with pytest.raises(RunError, match=r"no card\.json"):
        evaluate(tmp_path, split="test")
    with pytest.raises(DeviceError):
        evaluate(run, split="test", device="nonsense")
    with pytest.raises(ValueError, match="split"):
        evaluate(run, split="tset")
    other = planted.store.with_roles(valid=["valid"], test=[])
    with pytest.raises(DataError, match="split test is empty"):
        evaluate(run, split="test", store=other, device="cpu")


def test_a_run_is_judged_on_the_folds_that_it_was_not_trained_on(planted, tmp_path):
    """`Store.with_roles`, as for cross-validation: the store itself knows the roles of its build only."""
    other = planted.store.with_roles(valid=["test"], test=["train"])
    spec, config = planted.experiment.model_spec(3), TrainingConfig(max_steps=1, batch_size=4)
    run = train_model(other, planted.genome, spec, config, tmp_path / "run", device="cpu")
    for store in (None, planted.store.path, other):
        accuracy = evaluate(run, split="test", store=store, device="cpu")
        assert accuracy.n_windows == len(other.rows("test")) != len(planted.store.rows("test"))
    assert evaluate(run, split="test", store=planted.store, device="cpu").n_windows == len(planted.store.rows("test"))
    longer = TrainingConfig(max_steps=2, batch_size=4)
    with pytest.raises(RunError, match=r"store\.roles \({'train': 'test', 'valid': 'train', .*}, now None\)"):
        train_model(planted.store, planted.genome, spec, longer, run, device="cpu", resume=True)


def test_a_store_that_lacks_a_track_is_named_with_the_track(planted, run, tmp_path):
    header, fwd, rev, _ = planted.experiment.tracks.read_text().splitlines()
    sheet = planted.experiment.tracks.with_name("two_tracks.txt")
    sheet.write_text("\n".join((header, fwd, rev)) + "\n")
    plan = planted.experiment.model_copy(update={"tracks": sheet, "store": tmp_path / "store"})
    lacking = open_or_build_store(plan, workers=1)
    with pytest.raises(RunError, match=r"store has [0-9a-f]{12} and lacks 1 of its tracks: both; needed the same"):
        evaluate(run, split="test", store=lacking, device="cpu")
    with pytest.raises(StoreError, match="has no track both"):
        open_or_build_store(planted.experiment.model_copy(update={"store": lacking.path}))
