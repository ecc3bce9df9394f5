"""The layers' formulas in float64 numpy, shared with the tests of imported weights."""

import pytest


@pytest.fixture(scope="session")
def keras_numpy(module_at):
    return module_at("pretrained/keras_numpy.py")
