"""The window table: windows tiled over stretches, the masked ones left out, no split empty."""

import numpy as np
import pandas as pd
from jaxtyping import Bool

from regact.dataset.config import DatasetConfig
from regact.dataset.splits import Division
from regact.errors import DataError


def tile_windows(division: Division, config: DatasetConfig) -> pd.DataFrame:
    """All windows of a divided genome in its order: chrom, start, end, split, fold, contig.

    Windows start at the start of each stretch, one stride of their split apart, and lie inside it as a whole;
    `contig` is the stretch's number. Where regions of one split overlap, a window that both hold stands once.
    """
    rows = [
        (stretch.interval.chrom, start, start + config.window_bp, division.roles[stretch.fold], stretch.fold, number)
        for number, stretch in enumerate(division.stretches)
        for start in range(
            stretch.interval.start,
            stretch.interval.end - config.window_bp + 1,
            config.stride_bp(division.roles[stretch.fold]),
        )
    ]
    windows = pd.DataFrame(rows, columns=["chrom", "start", "end", "split", "fold", "contig"])
    return windows.drop_duplicates(["chrom", "start"], ignore_index=True)


def drop_masked(
    windows: pd.DataFrame, mask: Bool[np.ndarray, "window bin"], config: DatasetConfig
) -> tuple[pd.DataFrame, Bool[np.ndarray, "window bin"], tuple[str, ...]]:
    """Windows and mask without the windows of which too many bins are masked, and a sentence on those."""
    keep = (~mask).mean(axis=1) <= config.max_masked_fraction
    dropped = windows.loc[~keep, "split"].value_counts()
    if dropped.empty:
        return windows, mask, ()
    counts = ", ".join(f"{count:,} {split}" for split, count in sorted(dropped.items()))
    sentence = f"windows with more than {config.max_masked_fraction:.0%} of their bins masked: {counts}"
    return windows[keep].reset_index(drop=True), mask[keep], (sentence,)


def check_splits(windows: pd.DataFrame, division: Division, left_out: tuple[str, ...], where: object) -> None:
    """Raise DataError naming the splits that were asked for and have no window, and what would change that."""
    empty = [split for split in division.wanted if not (windows["split"] == split).any()]
    if not empty:
        return
    lengths = {
        split: [s.interval.length for s in division.stretches if division.roles[s.fold] == split] for split in empty
    }
    found = ", ".join(
        f"split {split} is empty ({len(lengths[split])} contigs, the longest {max(lengths[split], default=0):,} bp)"
        for split in empty
    )
    reasons = f" ({'; '.join(left_out)})" if left_out else ""
    raise DataError(
        where,
        found + reasons,
        "at least one window in each split",
        "give it other chromosomes or a larger fraction, or make window_bp, break_bp or the masks smaller",
    )
