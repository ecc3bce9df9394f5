"""What lies on disk is what the model predicts and the store holds, whatever the batches; and nothing stays behind."""

from types import SimpleNamespace

import numpy as np
import pytest

from regact.dataset.loader import Loader
from regact.engine import files
from regact.errors import DiskSpaceError, RunError
from regact.evaluation import evaluate
from regact.evaluation.split_predictions import PredictionWriter, SplitPredictions, store_predictions
from regact.model import load_model, predict_codes
from regact.training import TrainingConfig, train_model


@pytest.fixture(scope="module")
def run(planted, masked_store, tmp_path_factory):
    config = TrainingConfig(**{**planted.experiment.training.model_dump(), "max_steps": 4})
    out = tmp_path_factory.mktemp("runs") / "run"
    return train_model(masked_store, planted.genome, planted.experiment.model_spec(3), config, out, device="cpu")


def predict(run, store, into, *, batch_size=5, made_from=None, calls=None):
    def by_run(writer):
        if calls is not None:
            calls.append(1)
        evaluate(run, split="test", store=store, device="cpu", batch_size=batch_size, observe=writer)

    return store_predictions(into, store, "test", made_from=made_from or {"weights": "a"}, predict=by_run)


@pytest.mark.parametrize("batch_size", [1, 5, 100])
def test_values_are_those_of_the_unmasked_bins_in_order(run, planted, masked_store, tmp_path, batch_size):
    found = predict(run, masked_store, tmp_path / "p", batch_size=batch_size)
    batch = next(Loader(masked_store, planted.genome, "test", batch_size=100).epoch(0))
    mask = batch.mask.numpy()
    rate = predict_codes(load_model(run), batch.codes).numpy()
    targets, _ = masked_store.read(masked_store.rows("test"))
    assert (found.n_tracks, found.n_bins) == (3, mask.sum())
    assert not mask.all()
    for track in range(3):
        np.testing.assert_allclose(found.predicted(track), rate[:, track][mask], rtol=1e-4)
        np.testing.assert_array_equal(found.measured(track), targets[..., track][mask])
    rows, bins = found.places
    np.testing.assert_array_equal(targets[rows - masked_store.rows("test")[0], bins, 0], found.measured(0))
    assert found.predicted(0).dtype == np.float32


def test_predictions_are_used_again_for_what_they_were_made_from_only(run, masked_store, tmp_path):
    calls = []
    for weights in ("a", "a", "b"):
        predict(run, masked_store, tmp_path / "p", made_from={"weights": weights}, calls=calls)
    assert len(calls) == 2


def test_predictions_that_break_off_leave_nothing(masked_store, tmp_path):
    with pytest.raises(RunError, match="0 bins were predicted; needed"):
        store_predictions(tmp_path / "p", masked_store, "test", made_from={}, predict=lambda writer: None)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_is_told_before_any_work(masked_store, tmp_path, monkeypatch):
    monkeypatch.setattr(files.shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
    with pytest.raises(DiskSpaceError, match="the predictions of split test"):
        store_predictions(tmp_path / "p", masked_store, "test", made_from={}, predict=pytest.fail)


@pytest.mark.slow
def test_tracks_come_back_in_order_however_many_processes_read_them(masked_predictions, monkeypatch):
    predictions, predicted, measured = masked_predictions
    expected = [_dot(p, y) for p, y in zip(predicted, measured, strict=True)]
    assert predictions.per_track(_dot, label="dot") == expected
    monkeypatch.setattr("regact.evaluation.split_predictions._VALUES_WORTH_A_PROCESS", 0)
    assert predictions.per_track(_dot, label="dot", workers=2) == expected
    assert predictions.per_track(_dot, label="dot", tracks=[2, 0], workers=1) == [expected[2], expected[0]]


def _dot(predicted, measured):
    return float(np.dot(predicted.astype(float), measured.astype(float)))


def test_matrices_take_six_bytes_a_value(masked_store, tmp_path):
    PredictionWriter(tmp_path, masked_store, "test")
    predictions = SplitPredictions(tmp_path, masked_store, "test")
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert size == pytest.approx(6 * 3 * predictions.n_bins, abs=300)
