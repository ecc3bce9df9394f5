"""Training steps on this machine against eager PyTorch of the same layers in the order in which the paper names them.

The other side is what one would write first: nn.Conv1d, BatchNorm1d, ReLU, MaxPool1d, Dropout, and the same context and
affine layers, with the same weights. Both sides take turns. The figures are the best of `--repeats` by the clock, and
of CPU time, which other work on the machine changes less; the share of the rate that a matrix product reaches in the
same process; and the most memory that a process has in which one side alone takes two steps, Adam's moments included.

    python benchmarks/bench_train_step.py --preset attention_two_sided --width 0.1 --window-bp 65536 --batch 4
    python benchmarks/bench_train_step.py --paper --threads 2 --repeats 2          # paper scale: minutes, not seconds
"""

import argparse
import copy
import platform
import time
from dataclasses import dataclass

import torch
from torch import nn

from regact.engine import Usage, measured, peak_memory_bytes, run_apart
from regact.losses import poisson_nll
from regact.model import ModelSpec, SequenceModel, build_model, count, one_hot, preset_spec
from regact.model.conv_block import ConvBlock, SameConv1d


def eager_conv(conv: SameConv1d) -> nn.Module:
    filters, channels, width = conv.weight.shape
    span = conv.dilation * (width - 1)
    plain = nn.Conv1d(channels, filters, width, dilation=conv.dilation, bias=conv.bias is not None)
    plain.load_state_dict(conv.state_dict())
    return nn.Sequential(nn.ZeroPad1d((span // 2, span - span // 2)), plain)


class EagerBlock(nn.Sequential):
    """A convolution block of PyTorch's own layers, where `regact`'s stood."""

    relu_first = False

    def __init__(self, block: ConvBlock) -> None:
        norm = nn.BatchNorm1d(block.norm.num_features, eps=block.norm.eps)
        pool = [nn.MaxPool1d(block.pool)] if block.pool > 1 else []
        super().__init__(eager_conv(block.conv), norm, nn.ReLU(), *pool, nn.Dropout(block.dropout.rate))


def eager(model: SequenceModel) -> SequenceModel:
    """A copy of `model` whose convolution blocks are PyTorch's own layers."""
    model = copy.deepcopy(model)
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, ConvBlock):
                setattr(parent, name, EagerBlock(child))
            elif isinstance(child, SameConv1d) and not isinstance(parent, nn.Sequential | ConvBlock):
                setattr(parent, name, eager_conv(child))
    return model


@dataclass
class Side:
    """A model, its optimizer, and the batch that it learns."""

    model: SequenceModel
    optimizer: torch.optim.Optimizer
    codes: torch.Tensor
    counts: torch.Tensor

    @classmethod
    def of(cls, name: str, spec: ModelSpec, batch: int) -> "Side":
        model = build_model(spec, seed=0)
        model = eager(model) if name == "eager" else model
        codes = torch.randint(0, 4, (batch, spec.window_bp), dtype=torch.uint8)
        counts = torch.rand(batch, spec.bins, spec.tracks).transpose(1, 2)
        return cls(model, torch.optim.Adam(model.parameters()), codes, counts)

    def step(self) -> Usage:
        """Take a step; return what it took."""
        with measured() as usage:
            self.optimizer.zero_grad()
            poisson_nll(self.model(one_hot(self.codes)), self.counts).backward()
            self.optimizer.step()
        return usage


@dataclass(frozen=True)
class MemoryTask:
    """One side alone in a process."""

    name: str
    spec: ModelSpec
    batch: int
    threads: int


def measure_memory(task: MemoryTask) -> int:
    """The most memory in bytes that this process has had, two steps later."""
    torch.set_num_threads(task.threads)
    side = Side.of(task.name, task.spec, task.batch)
    side.step()
    side.step()  # the first that has moments
    return peak_memory_bytes()


def matmul_rate(size: int = 1536, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32) -> float:
    """GMAC/s of a matrix product of this size: the best of five runs."""
    a, b = torch.randn(2, size, size, device=device).to(dtype)
    repeats = 20 if a.is_cuda else 1  # a single product is over before a clock has been read
    seconds = []
    for _ in range(5):
        synchronize(a.device)
        start = time.perf_counter()
        for _ in range(repeats):
            a @ b
        synchronize(a.device)
        seconds.append((time.perf_counter() - start) / repeats)
    return size**3 / 1e9 / min(seconds)


def synchronize(device: torch.device) -> None:
    """Wait until the device has done all it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="attention_two_sided")
    parser.add_argument("--width", type=float, default=0.1)
    parser.add_argument("--filters", type=int, nargs="*", help="of each tower block, instead of --width")
    parser.add_argument("--window-bp", type=int, default=65_536)
    parser.add_argument("--tracks", type=int, default=10)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--paper", action="store_true", help="whole width, 131,072 bp, 4,229 tracks, one window a step")
    arguments = parser.parse_args()
    if arguments.paper:
        vars(arguments).update(width=1.0, filters=None, window_bp=131_072, tracks=4_229, batch=1)
    torch.set_num_threads(arguments.threads)
    filters = tuple(arguments.filters) if arguments.filters else None
    spec = preset_spec(
        arguments.preset,
        tracks=arguments.tracks,
        window_bp=arguments.window_bp,
        width=arguments.width,
        filters=filters,
    )
    memory = {
        name: run_apart(measure_memory, MemoryTask(name, spec, arguments.batch, arguments.threads), where=name)
        for name in ("regact", "eager")
    }
    sides = {name: Side.of(name, spec, arguments.batch) for name in memory}
    steps: dict[str, list[Usage]] = {name: [] for name in sides}
    for _ in range(arguments.repeats + 1):
        for name, side in sides.items():
            steps[name].append(side.step())
    best = {name: min(usage.seconds for usage in taken[1:]) for name, taken in steps.items()}  # the first is a warm-up
    cpu = {name: min(usage.cpu_seconds for usage in taken[1:]) for name, taken in steps.items()}
    gmac, rate = 3 * count(spec).gmac * arguments.batch, matmul_rate()
    print(f"{platform.processor() or platform.machine()}, {arguments.threads} threads, torch {torch.__version__}")
    for name, seconds in best.items():
        reached = gmac / seconds
        print(
            f"{name}: {seconds * 1e3:.0f} ms a step, {reached:.0f} GMAC/s, {reached / rate:.0%} of matmul, "
            f"{memory[name] / 1e9:.2f} GB"
        )
    ratio, of_cpu = (seconds["eager"] / seconds["regact"] for seconds in (best, cpu))
    print(f"ratio eager / regact: {ratio:.2f} by the clock, {of_cpu:.2f} of CPU time (matmul {rate:.0f} GMAC/s)")


if __name__ == "__main__":
    main()
