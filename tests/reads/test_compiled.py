import numpy as np
import pytest
from numba.core.caching import CacheImpl

from regact.reads.compiled import compiled


def twice(values):
    return 2 * values


def test_gives_what_python_gives():
    assert compiled(twice)(np.arange(3)).tolist() == [0, 2, 4]


def test_works_where_nothing_can_be_kept(monkeypatch: pytest.MonkeyPatch):
    """A read-only installation, and no folder of the user's: numba then has no place for its cache."""
    monkeypatch.setattr(CacheImpl, "_locator_classes", [])
    function = compiled(twice)
    assert function(21) == 42
    assert function.stats.cache_path is None
