"""What it is worth on a CPU to let glibc keep freed memory: training steps with malloc's variables set and without.

    python benchmarks/bench_allocator.py [--turns 5] [--threads N]

Two models: that of experiments/demo.yaml at its window and batch size, and `basenji` at a quarter of the paper's width
on two windows of 131,072 bp. Each measurement is a process of its own, which is when the variables are read; with and
without take turns, since a shared machine's speed drifts. The ratio is the median over turns of the ratio within
one. The last line is the row for RESULTS.md.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import torch

from regact.engine import measured, peak_memory_bytes
from regact.losses import poisson_nll
from regact.model import ModelConfig, build_model, model_spec, one_hot
from regact.settings import read_yaml

EXPERIMENT = Path(__file__).parent.parent / "experiments" / "demo.yaml"
KEEP = {"MALLOC_MMAP_THRESHOLD_": str(2**30), "MALLOC_TRIM_THRESHOLD_": str(2**32)}
STEPS = {"demo": 20, "quarter": 4}


def measure(name: str, threads: int) -> dict[str, float]:
    """Seconds by the clock a step, and the most memory, of this process."""
    torch.set_num_threads(threads)
    if name == "demo":
        values, _ = read_yaml(EXPERIMENT)
        config, batch_size = ModelConfig(**values["model"]), values["training"]["batch_size"]
        spec = model_spec(config, tracks=16, window_bp=values["dataset"]["window_bp"])
    else:
        spec, batch_size = model_spec(ModelConfig(preset="basenji", width=0.25), tracks=100, window_bp=2**17), 2
    model = build_model(spec, seed=0).train()
    optimizer = torch.optim.Adam(model.parameters())
    codes = torch.randint(0, 4, (batch_size, spec.window_bp), dtype=torch.uint8)
    counts = torch.poisson(torch.ones(batch_size, spec.tracks, spec.bins))

    def step() -> None:
        loss = poisson_nll(model(one_hot(codes)), counts)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    step()  # sets memory up
    start = time.perf_counter()
    with measured() as usage:
        for _ in range(STEPS[name]):
            step()
    seconds = time.perf_counter() - start
    return {
        "seconds": seconds / STEPS[name],
        "cpu_seconds": usage.cpu_seconds / STEPS[name],
        "bytes": peak_memory_bytes(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure, arguments.threads)))
        return

    def turn(name: str, settings: Mapping[str, str]) -> dict[str, float]:
        command = [sys.executable, __file__, "--threads", str(arguments.threads), "--measure", name]
        run = subprocess.run(command, env=os.environ | settings, check=True, capture_output=True, text=True)
        return dict(json.loads(run.stdout))

    found = []
    for name in STEPS:
        turns = [(turn(name, {}), turn(name, KEEP)) for _ in range(arguments.turns)]
        ratio, memory = (
            statistics.median(one[key] / other[key] for one, other in turns) for key in ("seconds", "bytes")
        )
        left, kept = (statistics.median(one["seconds"] for one in column) for column in zip(*turns, strict=True))
        found.append(f"{name}: {left:.3f} s a step, {kept:.3f} s kept: **{ratio:.2f}** x, memory {1 / memory:.2f} x")
        print(found[-1])
    machine = f"{platform.machine()}, threads: {arguments.threads}, load {os.getloadavg()[0]:.1f}"
    print(f"| bench_allocator | {machine} | {datetime.date.today()} | {'; '.join(found)} | steps/s to those without |")


if __name__ == "__main__":
    main()
