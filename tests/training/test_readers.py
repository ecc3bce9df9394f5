"""How many processes read ahead where nobody says it."""

import multiprocessing

import pytest
import torch

from regact.training import choose_readers, device, loop, train_model


@pytest.mark.parametrize(
    ("workers", "kind", "cores", "devices", "readers"),
    [
        (None, "cpu", 16, 1, 0),
        (None, "cuda", 16, 1, 4),
        (None, "cuda", 16, 8, 1),
        (None, "cuda", 1, 1, 1),
        (None, "mps", 4, 1, 3),
        (0, "cuda", 16, 1, 0),
        (9, "cpu", 2, 1, 9),
    ],
)
def test_accelerators_are_read_for(monkeypatch, workers, kind, cores, devices, readers):
    monkeypatch.setattr(device, "available_cores", lambda: cores)
    assert choose_readers(workers, torch.device(kind), devices) == readers


@pytest.mark.parametrize("readers", [0, 1])
def test_training_reads_with_as_many(planted, tmp_path, monkeypatch, readers):
    monkeypatch.setattr(loop, "choose_readers", lambda workers, device, devices: readers)
    spec, config = planted.experiment.model_spec(3), planted.experiment.training.model_copy(update={"epochs": 1})
    seen = []

    def look(_):
        seen.extend(child.name for child in multiprocessing.active_children())

    train_model(planted.store, planted.genome, spec, config, tmp_path / "run", device="cpu", on_epoch=look)
    assert any(name.startswith("regact-loader") for name in seen) == bool(readers)
