"""What all tests share: one thread each, the folder of real data, and the GPU where there is one."""

import os
from pathlib import Path

import pytest
import torch

# Workers of pytest-xdist share the cores; more threads than cores make every test slower. The variables are for the
# processes that tests start.
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
torch.set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, what this machine cannot run."""
    no_gpu = None if torch.cuda.is_available() else pytest.mark.skip(reason="no CUDA device on this machine")
    no_data = pytest.mark.skip(reason=_why_no_data()) if _why_no_data() else None
    for item in items:
        for marker, skip in (("gpu", no_gpu), ("data", no_data)):
            if skip is not None and item.get_closest_marker(marker):
                item.add_marker(skip)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data; tests that ask for it carry `@pytest.mark.data`."""
    if reason := _why_no_data():
        pytest.skip(reason)
    return Path(os.environ["REGACT_DATA"])


def _why_no_data() -> str:
    folder = os.environ.get("REGACT_DATA")
    if not folder:
        return "REGACT_DATA does not name the folder of real data"
    return "" if Path(folder).is_dir() else f"REGACT_DATA names {folder}, which is no folder"
