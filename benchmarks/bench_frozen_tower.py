"""What freezing a tower saves: a training step with the tower frozen, against the same step with all of it learning.

    python benchmarks/bench_frozen_tower.py [--experiment experiments/demo.yaml] [--tracks 16] [--repeats 7]

The models are those of the experiment's `compare` section at its window and batch size, on random sequence and counts.
Both kinds of step take turns, since a shared machine's speed drifts; the ratio is the median over turns of the ratio
within one, beside it the share of the multiply-accumulates that is left, counted as forward 1, backward 2. The last
line is the row for RESULTS.md.
"""

import argparse
import datetime
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

from regact.experiment import ComparisonConfig
from regact.losses import poisson_nll
from regact.model import ModelConfig, ModelSpec, build_model, count, model_spec, one_hot
from regact.settings import read_yaml
from regact.training import TrainingConfig, TransferConfig
from regact.training.optimizer import build_optimizer
from regact.training.transfer import set_frozen

# Only which parts it names matters here: no weights are read.
FROZEN_FIRST = TransferConfig(run=Path("another"), freeze_epochs=1)


def prepare_step(spec: ModelSpec, batch_size: int, *, frozen: bool) -> Callable[[], float]:
    """Return what makes one step and says how many seconds it took."""
    model = build_model(spec, seed=0)
    optimizer = build_optimizer(model, TrainingConfig())
    model.train()
    set_frozen(model, FROZEN_FIRST, epoch=0 if frozen else 1)
    codes = torch.randint(0, 4, (batch_size, spec.window_bp), dtype=torch.uint8)
    counts = torch.poisson(torch.ones(batch_size, spec.tracks, spec.bins))

    def step() -> float:
        start = time.perf_counter()
        loss = poisson_nll(model(one_hot(codes)), counts)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return time.perf_counter() - start

    return step


def work_left(spec: ModelSpec) -> float:
    """Share of a step's multiply-accumulates that a frozen tower leaves."""
    cost = count(spec)
    tower = sum(layer.macs for layer in cost.layers[: len(spec.tower.filters)])
    return 1 - 2 / 3 * tower / cost.macs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiment", type=Path, default=Path("experiments/demo.yaml"))
    parser.add_argument("--tracks", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()

    values, _ = read_yaml(arguments.experiment)
    batch_size, window_bp = values["training"]["batch_size"], values["dataset"]["window_bp"]
    common = ModelConfig(**values["model"])
    found = []
    for compared in ComparisonConfig(**values["compare"]).models:
        spec = model_spec(compared.over(common), tracks=arguments.tracks, window_bp=window_bp)
        learning, frozen = (prepare_step(spec, batch_size, frozen=frozen) for frozen in (False, True))
        learning(), frozen()  # the first step of each sets memory up
        turns = [(learning(), frozen()) for _ in range(arguments.repeats)]
        ratio = statistics.median(one / other for one, other in turns)
        seconds = [statistics.median(column) for column in zip(*turns, strict=True)]
        found.append(f"{compared.title} {ratio:.2f} (work: {1 / work_left(spec):.2f})")
        print(f"{found[-1]}: {seconds[0]:.3f} s a step with all learning, {seconds[1]:.3f} s with the tower frozen")
    machine = f"{platform.machine()}, threads: {torch.get_num_threads()}"
    print(
        f"| bench_frozen_tower, {arguments.experiment.name} | {machine} | {datetime.date.today()} | {'; '.join(found)} "
        "| steps/s to those with all learning |"
    )


if __name__ == "__main__":
    main()
