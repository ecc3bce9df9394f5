"""Which bins count in loss and metrics."""

import numpy as np
import pandas as pd
from jaxtyping import Bool

from regact.dataset.config import DatasetConfig
from regact.genome import Genome, Interval, Regions


def mask_windows(
    windows: pd.DataFrame,
    config: DatasetConfig,
    genome: Genome,
    *,
    blacklist: Regions | None = None,
    unmappable: Regions | None = None,
) -> Bool[np.ndarray, "window bin"]:
    """True where a bin of a window's target counts.

    A bin is masked where a single base of it is blacklisted, since that base spoils the sum, or where more than
    `max_unusable_fraction` of its bases are N or unmappable, since those are merely missing from it. A base that is
    both N and unmappable is counted once.
    """
    unusable = _n_regions(genome, windows["chrom"].unique()) | (unmappable or Regions())
    mask = np.ones((len(windows), config.n_bins), dtype=bool)
    most = config.max_unusable_fraction * config.bin_bp
    for row, target in enumerate(target_intervals(windows, config)):
        mask[row] = unusable.covered_per_bin(target, config.bin_bp) <= most
        if blacklist is not None:
            mask[row] &= blacklist.covered_per_bin(target, config.bin_bp) == 0
    return mask


def target_intervals(windows: pd.DataFrame, config: DatasetConfig) -> list[Interval]:
    """The interval of each window that has targets: the window without its crop."""
    starts = windows["start"].to_numpy() + config.crop_bp
    return [
        Interval(chrom, start, start + config.target_bp)
        for chrom, start in zip(windows["chrom"], starts.tolist(), strict=True)
    ]


def _n_regions(genome: Genome, chroms: np.ndarray) -> Regions:
    runs = {chrom: genome.n_runs(chrom) for chrom in chroms}
    return Regions({chrom: (rows[:, 0], rows[:, 1]) for chrom, rows in runs.items()})
