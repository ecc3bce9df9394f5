"""The benchmark of training steps holds the model against the same function, and runs to its end."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from regact.model import build_model, preset_spec

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "bench_train_step.py"
TINY = ["--width", "0.02", "--window-bp", "4096", "--batch", "2", "--repeats", "1"]


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location(SCRIPT.stem, SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("preset", ["basenji", "attention_two_sided", "exp_variable"])
def test_both_sides_are_the_same_function(bench, preset):
    mine = build_model(preset_spec(preset, tracks=3, window_bp=4096, width=0.02), seed=0)
    theirs = bench.eager(mine)
    one_hot = torch.eye(4)[torch.randint(0, 4, (2, 4096))].transpose(1, 2)
    for model in (mine, theirs):
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout | type(mine.head.block.dropout)):
                module.eval()
    torch.testing.assert_close(theirs(one_hot), mine(one_hot), rtol=1e-3, atol=1e-4)
    theirs.eval(), mine.eval()  # the running statistics moved alike
    torch.testing.assert_close(theirs(one_hot), mine(one_hot), rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_it_says_time_share_and_memory_of_both_and_the_ratio():
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    out = subprocess.run(
        [sys.executable, str(SCRIPT), *TINY], capture_output=True, text=True, check=True, timeout=300, env=environment
    ).stdout
    for side in ("regact", "eager"):
        assert re.search(rf"^{side}: \d+ ms a step, \d+ GMAC/s, \d+% of matmul, \d\.\d\d GB$", out, re.MULTILINE)
    assert re.search(r"^ratio eager / regact: \d+\.\d\d by the clock, \d+\.\d\d of CPU time", out, re.MULTILINE)
