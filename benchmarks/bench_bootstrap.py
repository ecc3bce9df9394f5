"""Intervals at the paper's scale: draws of genome blocks against sums of windows, in time and memory.

The other side is what one would write first: for each draw, merge the sums of the drawn windows one by one
(`regact.metrics.TrackSums.merge`); it is timed on a few draws and scaled up. Both give the same numbers, which is
checked.

    python benchmarks/bench_bootstrap.py --windows 1400 --tracks 4229 --resamples 1000
"""

import argparse
import platform
import resource
import time

import numpy as np
import torch

from regact.evaluation import draw_blocks, resample_accuracy
from regact.evaluation.window_sums import MOMENTS, WindowSums
from regact.metrics import TrackSums

WINDOWS_PER_BLOCK = 4  # 524 kb of windows of 131 kb


def random_sums(windows: int, tracks: int) -> WindowSums:
    """Sums of 1,024 bins a window whose predictions and values are correlated, as those of a run are."""
    random = np.random.default_rng(0)

    def moments() -> np.ndarray:
        values = np.empty((len(MOMENTS), windows, tracks))
        values[:2] = random.gamma(4.0, 1.0, (2, windows, tracks))
        values[2:4] = random.gamma(100.0, 10.0, (2, windows, tracks))
        values[4] = 0.6 * np.sqrt(values[2] * values[3])
        values[5] = values[2] + values[3] - 2 * values[4] + 1_024 * (values[0] - values[1]) ** 2
        return values

    rows = np.arange(windows)
    whole = np.zeros(windows, dtype=np.int64), np.full(windows, 1_024)
    blocks = rows // WINDOWS_PER_BLOCK
    return WindowSums(int(blocks[-1]) + 1, rows, blocks, *whole, np.full(windows, 1_024), moments(), moments())


def merged(sums: WindowSums, weights: np.ndarray) -> dict[str, float]:
    """The same accuracies of one draw, window by window."""
    found = {}
    for suffix, moments in (("", sums.raw), ("_log1p", sums.log1p)):
        total = TrackSums(sums.n_tracks)
        for piece in np.flatnonzero(weights[sums.block]):
            one = TrackSums(sums.n_tracks, int(sums.count[piece]))
            for name, values in zip(MOMENTS, moments[:, piece], strict=True):
                setattr(one, name, torch.from_numpy(values))
            for _ in range(int(weights[sums.block[piece]])):
                total.merge(one)
        found |= {f"pearson{suffix}": float(total.pearson().mean()), f"r2{suffix}": float(total.r2().mean())}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=1_400)
    parser.add_argument("--tracks", type=int, default=4_229)
    parser.add_argument("--resamples", type=int, default=1_000)
    parser.add_argument("--merged-draws", type=int, default=2, help="draws of the other side")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    sums = random_sums(arguments.windows, arguments.tracks)
    assay = np.arange(arguments.tracks) % 3
    groups = {"all": np.ones(arguments.tracks, dtype=bool)} | {str(one): assay == one for one in range(3)}
    weights = draw_blocks(sums.has_bins, arguments.resamples)
    start = time.perf_counter()
    found = resample_accuracy(sums, groups, weights)["all"]
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    start = time.perf_counter()
    for draw in range(arguments.merged_draws):
        for measure, value in merged(sums, weights[draw]).items():
            np.testing.assert_allclose(found[measure][draw], value, rtol=1e-9)
    each = (time.perf_counter() - start) / arguments.merged_draws
    shape = f"{arguments.windows} windows, {sums.n_blocks} blocks, {arguments.tracks} tracks"
    print(f"{platform.processor() or platform.machine()}, torch {torch.__version__}, numpy {np.__version__}")
    print(f"{shape}, {arguments.resamples} draws; the sums are {2 * sums.raw.nbytes / 1e9:.2f} GB")
    print(f"products: {seconds:.2f} s, peak memory of the process {peak:.2f} GB")
    print(f"merging window by window: {each:.2f} s a draw, {each * arguments.resamples / 60:.1f} min in all")
    print(f"ratio: {each * arguments.resamples / seconds:.0f}")


if __name__ == "__main__":
    main()
