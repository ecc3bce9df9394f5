"""The layers' formulas in float64 numpy, shared with the tests of imported weights."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def keras_numpy():
    path = Path(__file__).parents[2] / "pretrained" / "keras_numpy.py"
    spec = importlib.util.spec_from_file_location("keras_numpy", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
