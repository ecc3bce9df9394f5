"""Every preset at paper scale on this machine's GPU: speed, share of its matrix rate, memory, waiting for data.

    python benchmarks/bench_gpu_presets.py [--steps 200] [--batch 16] [--workers 12] [--presets basenji standard]
    python benchmarks/bench_gpu_presets.py --smoke        # a tiny configuration on the CPU: does it run?

Windows of 131,072 bp, 4,229 tracks, targets drawn as in bench_loader.py and read by the loader's worker processes from
a store; the step is the one that `regact train` takes (training/step.py), in bfloat16. Per preset:

- windows/s over `--steps` steps after `--warmup` steps; where the memory is full, the batch is halved and told;
- the share of the matrix rate that is used: six FLOP a multiply-accumulate of the forward pass (forward and two
  gradients), over what a bfloat16 product of 8,192 x 8,192 matrices reaches in this process;
- peak memory that torch had allocated on the device;
- the share of time in which the GPU waited: between the end of a step's work and the beginning of the next one's,
  measured by events on the device itself.

The last lines are the rows for RESULTS.md.
"""

import argparse
import datetime
import itertools
import os
import platform
import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from bench_loader import write_store
from bench_train_step import matmul_rate, synchronize

from regact.dataset import Store
from regact.dataset.batch import Batch
from regact.dataset.loader import Loader
from regact.genome import Genome
from regact.model import PRESETS, ModelSpec, build_model, count, preset_spec
from regact.model.memory import free_cached_memory, is_memory_full
from regact.training import TrainingConfig, open_fabric
from regact.training.compile import check_compiler, compile_network
from regact.training.optimizer import build_optimizer
from regact.training.recompute import recompute_activations
from regact.training.step import TrainingStep


@dataclass(frozen=True)
class Measurement:
    """One preset's figures."""

    batch: int
    windows_per_second: float
    peak_bytes: int
    waiting_share: float


class Clock:
    """How long steps take, and how long the device waits between them."""

    def __init__(self, device: torch.device) -> None:
        self.device, self.spans = device, []

    def now(self) -> torch.cuda.Event | float:
        """This moment on the device's own clock, when it gets there."""
        if self.device.type != "cuda":
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def add(self, begun: torch.cuda.Event | float, ended: torch.cuda.Event | float) -> None:
        """Note one step."""
        self.spans.append((begun, ended))

    def read(self) -> tuple[float, float]:
        """Seconds from the first step's beginning to the last one's end, and those between steps."""
        synchronize(self.device)
        whole = self._between(self.spans[0][0], self.spans[-1][1])
        waited = sum(self._between(one[1], other[0]) for one, other in itertools.pairwise(self.spans))
        return whole, waited

    def _between(self, begin: torch.cuda.Event | float, end: torch.cuda.Event | float) -> float:
        return end - begin if isinstance(end, float) else begin.elapsed_time(end) / 1e3


def endless(loader: Loader) -> Iterator[Batch]:
    for epoch in itertools.count():
        yield from loader.epoch(epoch)


def measure(
    spec: ModelSpec, store: Store, genome: Genome, arguments: argparse.Namespace, device: str, batch_size: int
) -> Measurement:
    config = TrainingConfig(batch_size=batch_size, precision=arguments.precision)
    fabric = open_fabric(device, config.precision)
    model = build_model(spec, seed=0)
    model.head.start_at([1.0] * spec.tracks)
    optimizer = build_optimizer(model, config)
    if arguments.activation_checkpointing:
        recompute_activations(model)
    network = compile_network(model) if arguments.compile else model
    wrapped, wrapped_optimizer = fabric.setup(network, optimizer)
    wrapped.train()
    strand_pair = torch.from_numpy(store.sheet.strand_pair)
    step = TrainingStep(
        model, wrapped, wrapped_optimizer, fabric, config, strand_pair=strand_pair, total_steps=arguments.steps
    )
    if fabric.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(fabric.device)
    clock, pending = Clock(fabric.device), None
    with Loader(
        store, genome, "train", batch_size=batch_size, shuffle=True, drop_last=True, workers=arguments.workers
    ) as loader:
        for number, batch in enumerate(itertools.islice(endless(loader), arguments.warmup + arguments.steps)):
            begun, before = clock.now(), pending
            pending = step.begin(batch, number, ())
            if number >= arguments.warmup:
                clock.add(begun, clock.now())
            if before:
                before.result()  # as the training loop does: one step later
    seconds, waited = clock.read()
    return Measurement(batch_size, arguments.steps * batch_size / seconds, peak_bytes(fabric.device), waited / seconds)


def peak_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # of the process so far, on Linux in KiB


def measure_what_fits(
    spec: ModelSpec, store: Store, genome: Genome, arguments: argparse.Namespace, device: str
) -> Measurement:
    batch_size = arguments.batch
    while True:
        try:
            return measure(spec, store, genome, arguments, device, batch_size)
        except RuntimeError as error:
            if not is_memory_full(error) or batch_size == 1:
                raise
        free_cached_memory(torch.device(device))
        print(f"  {batch_size} windows at once do not fit; trying {batch_size // 2}")
        batch_size //= 2


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presets", nargs="+", default=list(PRESETS), choices=list(PRESETS), metavar="PRESET")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--warmup", type=int, default=20)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 2) - 2))
    parser.add_argument("--windows", type=int, default=64, help="in the store; read again and again")
    parser.add_argument("--window-bp", type=int, default=131_072)
    parser.add_argument("--tracks", type=int, default=4_229)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--precision", choices=("bfloat16", "float32"), default="bfloat16")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--activation-checkpointing", action="store_true")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes on the CPU, to see that everything runs")
    arguments = parser.parse_args()
    if arguments.smoke:
        tiny = {"steps": 2, "warmup": 1, "batch": 2, "workers": 0, "windows": 4, "window_bp": 4_096, "tracks": 6}
        vars(arguments).update(tiny, width=0.02, precision="float32")
    return arguments


def main() -> None:
    arguments = parse_arguments()
    if not arguments.smoke and not torch.cuda.is_available():
        print("no CUDA device on this machine: nothing is measured (--smoke tries the script on the CPU)")
        return
    device = torch.device("cpu" if arguments.smoke else "cuda:0")
    if arguments.compile:
        check_compiler(device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    dtype = torch.bfloat16 if arguments.precision == "bfloat16" else torch.float32
    rate = matmul_rate(256 if arguments.smoke else 8_192, device, dtype)
    print(f"{name}, torch {torch.__version__}: {arguments.precision} products at {rate * 2 / 1e3:.3g} TFLOP/s")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        sizes = {"window_bp": arguments.window_bp, "n_tracks": arguments.tracks}
        store, genome = write_store(Path(folder), arguments.windows, "zstd", **sizes)
        for preset in arguments.presets:
            spec = preset_spec(preset, tracks=arguments.tracks, window_bp=arguments.window_bp, width=arguments.width)
            found = measure_what_fits(spec, store, genome, arguments, str(device))
            share = 3 * count(spec).gmac * found.windows_per_second / rate
            figures = (
                f"{found.windows_per_second:.3g} windows/s, {share:.0%} of the matrix rate, "
                f"{found.peak_bytes / 2**30:.3g} GiB at {found.batch} windows, waiting {found.waiting_share:.1%}"
            )
            print(f"{preset}: {figures}")
            rows.append(f"| bench_gpu_presets, {preset} | {name} | {datetime.date.today()} | {figures} | to the rate |")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
