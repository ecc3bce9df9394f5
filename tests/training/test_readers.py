"""How many processes read ahead where nobody says it."""

import pytest
import torch

from regact.training import choose_readers, device


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
