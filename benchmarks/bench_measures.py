"""How long the measures that need whole tracks take at the size of a human test split, and in how much memory.

    python benchmarks/bench_measures.py [--bins 1400000] [--turns 5]

Draws predicted and measured values of one track and takes Spearman, peaks and calibration of it, in turns with scipy's
own spearmanr. Then lays batches of 4,229 tracks down on disk as `PredictionWriter` does (columns of a matrix whose rows
are tracks), in turns with writing as many bytes one after the other.
"""

import argparse
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from regact.evaluation.calibration import calibrate
from regact.evaluation.peaks import peak_accuracy
from regact.evaluation.spearman import spearman

PAPER_TRACKS, BATCH_BINS, N_BATCHES = 4_229, 8 * 1_024, 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bins", type=int, default=1_400_000)
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    predicted = rng.gamma(0.5, 2, options.bins).astype(np.float32)
    measured = rng.poisson(predicted).astype(np.float32)
    before = peak_memory_mb()
    ours: dict[str, Callable[..., object]] = {"spearman": spearman, "peaks": peak_accuracy, "calibration": calibrate}
    seconds: dict[str, list[float]] = {name: [] for name in (*ours, "scipy spearmanr")}
    memory = 0.0
    for _ in range(options.turns):
        for name, function in ours.items():
            seconds[name].append(cpu_seconds(function, predicted, measured))
        memory = memory or peak_memory_mb() - before
        seconds["scipy spearmanr"].append(cpu_seconds(spearmanr, predicted, measured))
    median = {name: statistics.median(times) for name, times in seconds.items()}
    for name, value in median.items():
        print(f"{name}: {value:.2f} s of CPU a track of {options.bins:,} bins")
    hours = sum(median[name] for name in ours) * PAPER_TRACKS / 3600
    print(f"all three for {PAPER_TRACKS:,} tracks: {hours:.1f} core-hours")
    print(f"spearman: {median['spearman'] / median['scipy spearmanr']:.2f} x scipy's")
    print(f"memory above the track's own {8 * options.bins / 1e6:.0f} MB: {memory:.0f} MB")
    writers = {"columns of a matrix": write_columns, "one after the other": write_sequentially}
    speeds = [{name: write(writer) for name, writer in writers.items()} for _ in range(options.turns)]
    for name in writers:
        print(f"batches of {PAPER_TRACKS:,} tracks, {name}: {statistics.median(s[name] for s in speeds):.2f} GB/s")


def cpu_seconds(function: Callable[..., object], *arguments: np.ndarray) -> float:
    start = time.process_time()
    function(*arguments)
    return time.process_time() - start


def peak_memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def write(writer: Callable[[Path, np.ndarray], None]) -> float:
    """GB/s, the disk's part included."""
    block = np.ones((PAPER_TRACKS, BATCH_BINS), dtype=np.float32)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        writer(Path(folder) / "predicted.npy", block)
        return N_BATCHES * block.nbytes / 1e9 / (time.perf_counter() - start)


def write_columns(path: Path, block: np.ndarray) -> None:
    matrix = np.lib.format.open_memmap(path, "w+", np.float32, (PAPER_TRACKS, N_BATCHES * BATCH_BINS))
    for batch in range(N_BATCHES):
        matrix[:, batch * BATCH_BINS : (batch + 1) * BATCH_BINS] = block
    matrix.flush()


def write_sequentially(path: Path, block: np.ndarray) -> None:
    with path.open("wb") as file:
        for _ in range(N_BATCHES):
            file.write(block.data)
        file.flush()
        os.fsync(file.fileno())


if __name__ == "__main__":
    main()
