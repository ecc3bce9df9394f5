"""The genome of a split in blocks: what a bootstrap draws, for neighbouring bins are not independent of each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Int32, Int64

from regact.dataset import Store
from regact.dataset.mask import target_intervals
from regact.genome import Interval, Regions

LEAST_BLOCK_BP = 500_000
LEAST_BLOCKS = 20

_Block = list[Interval]


@dataclass(frozen=True)
class Blocks:
    """The bases that the targets of a split cover, in blocks of at least `LEAST_BLOCK_BP` that share no base.

    Attributes:
        split: train, valid or test.
        rows: The split's rows of the store's window table.
        of_bin: The block of each bin of each of these windows. Windows that overlap have the same block where they have
            the same bases: a window may lie in two blocks, a bin lies in one.
        lengths_bp: Bases in each block.
    """

    split: str
    rows: Int64[np.ndarray, "window"]
    of_bin: Int32[np.ndarray, "window bin"]
    lengths_bp: Int64[np.ndarray, "block"]

    def __len__(self) -> int:
        return len(self.lengths_bp)

    def pieces(self, window: int) -> list[tuple[int, int, int]]:
        """A window's bins by block: (block, first bin, end), in the order of the bins."""
        blocks = self.of_bin[window]
        cuts = np.flatnonzero(np.diff(blocks)) + 1
        return [(int(blocks[first]), first, end) for first, end in pairwise([0, *cuts.tolist(), len(blocks)])]


def divide_into_blocks(store: Store, split: str) -> Blocks:
    """Divide what the targets of a split cover, in the order of the genome (`blocks_of`).

    Raises: DataError where the split is empty.
    """
    rows = store.rows(split)
    targets = target_intervals(store.windows.iloc[rows], store.header.config)
    blocks = blocks_of(list(Regions.from_intervals(targets)))
    of_bin = np.empty((len(rows), store.n_bins), dtype=np.int32)
    first_bases = np.arange(store.n_bins) * store.bin_bp
    parts = {target.chrom: _parts_on(target.chrom, blocks) for target in targets}
    for window, target in enumerate(targets):
        starts, block = parts[target.chrom]
        of_bin[window] = block[np.searchsorted(starts, target.start + first_bases, side="right") - 1]
    lengths = np.array([sum(part.length for part in block) for block in blocks], dtype=np.int64)
    return Blocks(split, rows, of_bin, lengths)


def blocks_of(stretches: Sequence[Interval]) -> list[_Block]:
    """Cut and join stretches of the genome, which do not touch, to blocks of at least `LEAST_BLOCK_BP`.

    A stretch with room for several is cut into as many equal ones. Shorter stretches are put together, over the ends of
    contigs too, until they are long enough; what is left over joins the block before.
    """
    blocks: list[_Block] = []
    waiting: _Block = []
    for stretch in stretches:
        room = stretch.length // LEAST_BLOCK_BP
        if room:
            edges = stretch.start + np.linspace(0, stretch.length, room + 1).round().astype(int)
            blocks += [[Interval(stretch.chrom, start, end)] for start, end in pairwise(edges.tolist())]
            continue
        waiting.append(stretch)
        if sum(part.length for part in waiting) >= LEAST_BLOCK_BP:
            blocks.append(waiting)
            waiting = []
    if waiting and blocks:
        blocks[-1] = blocks[-1] + waiting
    elif waiting:
        blocks.append(waiting)
    return blocks


def why_no_interval(n_blocks: int, holding: str = "unmasked bins") -> str:
    """Why there are too few blocks for an interval; empty where there are enough."""
    if n_blocks >= LEAST_BLOCKS:
        return ""
    blocks = "1 block" if n_blocks == 1 else f"{n_blocks} blocks"
    return f"{blocks} of {LEAST_BLOCK_BP // 1000} kb or more with {holding}, needed {LEAST_BLOCKS}"


def _parts_on(chrom: str, blocks: Sequence[_Block]) -> tuple[Int64[np.ndarray, "part"], Int32[np.ndarray, "part"]]:
    """Where the parts of blocks on a contig start, in order, and the block of each."""
    parts = sorted((part.start, number) for number, block in enumerate(blocks) for part in block if part.chrom == chrom)
    starts, numbers = zip(*parts, strict=True)
    return np.array(starts, dtype=np.int64), np.array(numbers, dtype=np.int32)
