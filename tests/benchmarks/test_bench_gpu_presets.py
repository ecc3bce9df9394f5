"""The benchmark of presets runs to its end, tiny and on the CPU; without a GPU it measures nothing and says so."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from regact.model import PRESETS

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "bench_gpu_presets.py"


def run(*options):
    return subprocess.run(
        [sys.executable, str(SCRIPT), *options],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    ).stdout


@pytest.mark.slow
def test_every_preset_is_measured():
    out = run("--smoke", "--activation-checkpointing")
    rows = [line for line in out.splitlines() if line.startswith("| bench_gpu_presets")]
    assert [row.split(", ")[1].split(" |")[0] for row in rows] == list(PRESETS)
    assert all("windows/s" in row and "waiting" in row for row in rows)


@pytest.mark.skipif(torch.cuda.is_available(), reason="for machines without CUDA")
def test_without_a_gpu_nothing_is_claimed():
    assert "nothing is measured" in run()
