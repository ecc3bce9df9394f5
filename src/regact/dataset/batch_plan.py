"""Which windows a batch holds, how each is shifted and which strand is read: a function of (seed, epoch, batch) alone.

Nothing is drawn in sequence: every number comes from a counter-based generator (Philox) whose key is the seed and whose
counter starts at the epoch. So any number of workers makes the same batches, no worker holds state, and a run that was
stopped goes on at batch i of epoch e without replaying what came before. Only raw generator words are used, since NumPy
promises their values for ever but not those of its distributions.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Int64, UInt64
from pydantic import BaseModel, ConfigDict, Field

ORDER, SHIFT, STRAND = 0, 1, 2  # what a stream of random words is for; part of its counter


class Augmentation(BaseModel):
    """How training windows are varied; the paper's section 4.2 reverses every other epoch.

    A shift moves the sequence only, by -max_shift_bp..max_shift_bp bases of real flanking sequence (N beyond the
    contig's ends); the targets stay. That is Basenji's way: 3 bp is far less than a bin of 128 bp, so the values hardly
    change, while the network sees each motif at other places of its pooling grid.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reverse_complement: Literal["none", "alternate", "random"] = Field(
        default="alternate", description="none, every other epoch (the odd ones), or each window by a coin toss"
    )
    max_shift_bp: int = Field(default=3, ge=0, description="largest shift of a window to either side, in bp")


NO_AUGMENTATION = Augmentation(reverse_complement="none", max_shift_bp=0)


class PlannedBatch(NamedTuple):
    """What one batch holds, in order."""

    windows: Int64[np.ndarray, " batch"]  # positions among the plan's windows, 0..n_windows - 1
    shifts: Int64[np.ndarray, " batch"]  # bp to the right
    reverse: Bool[np.ndarray, " batch"]  # True: reverse complement


@dataclass(frozen=True)
class BatchPlan:
    """The batches of every epoch over `n_windows` windows.

    A window's shift and strand depend on (seed, epoch, window) alone, so they stay when the batch size changes.

    The last batch is smaller where `batch_size` does not divide `n_windows`. Evaluation keeps it, for every window
    counts. Training does well to drop it (`drop_last=True`): its windows would weigh more than others in the step that
    they make, and a compiled model would be compiled twice; with a new order each epoch the windows left out differ
    each time. Where it would be the only batch it is kept.

    Of several processes that train together each takes its own `share` of all `shares` of every batch, counted from 0:
    together they hold the batch's windows once, in order, and their numbers differ by one at most.

    Raises:
        ValueError: fewer than one window, a batch size below one, a negative seed, or no such share.
    """

    n_windows: int
    batch_size: int
    seed: int = 0
    shuffle: bool = False
    augmentation: Augmentation = NO_AUGMENTATION
    drop_last: bool = False
    share: int = 0
    shares: int = 1

    def __post_init__(self) -> None:
        if self.n_windows < 1 or self.batch_size < 1 or self.seed < 0:
            raise ValueError(
                f"n_windows {self.n_windows}, batch_size {self.batch_size}, seed {self.seed}; needed >= 1, >= 1, >= 0"
            )
        if not 0 <= self.share < self.shares:
            raise ValueError(f"share {self.share} of {self.shares}; needed one from 0 to {self.shares - 1}")

    @property
    def batches_per_epoch(self) -> int:
        """How many batches an epoch has, at least one."""
        whole, rest = divmod(self.n_windows, self.batch_size)
        return whole if whole and (self.drop_last or not rest) else whole + 1

    def batch(self, epoch: int, i: int) -> PlannedBatch:
        """This share of batch `i` of epoch `epoch`, both counted from 0; empty where windows are fewer than shares.

        Raises:
            IndexError: `i` is no batch of an epoch.
        """
        if not 0 <= i < self.batches_per_epoch:
            raise IndexError(f"batch {i} of {self.batches_per_epoch}")
        chosen = slice(i * self.batch_size, min((i + 1) * self.batch_size, self.n_windows))
        order = _order(self.seed, epoch, self.n_windows) if self.shuffle else np.arange(self.n_windows)
        whole = order[chosen]
        windows = whole[len(whole) * self.share // self.shares : len(whole) * (self.share + 1) // self.shares]
        return PlannedBatch(windows, self._shifts(epoch, windows), self._reverse(epoch, windows))

    def _shifts(self, epoch: int, windows: Int64[np.ndarray, " batch"]) -> Int64[np.ndarray, " batch"]:
        reach = self.augmentation.max_shift_bp
        if reach == 0:
            return np.zeros(len(windows), dtype=np.int64)
        words = _words(self.seed, epoch, SHIFT, self.n_windows)[windows]
        return (words % np.uint64(2 * reach + 1)).astype(np.int64) - reach  # the modulo's bias is below 2^-60

    def _reverse(self, epoch: int, windows: Int64[np.ndarray, " batch"]) -> Bool[np.ndarray, " batch"]:
        match self.augmentation.reverse_complement:
            case "alternate":
                return np.full(len(windows), epoch % 2 == 1)
            case "random":
                return (_words(self.seed, epoch, STRAND, self.n_windows)[windows] >> np.uint64(63)).astype(bool)
            case _:
                return np.zeros(len(windows), dtype=bool)


def _words(seed: int, epoch: int, purpose: int, n: int) -> UInt64[np.ndarray, " n"]:
    """`n` random 64-bit words that (seed, epoch, purpose) alone decide.

    The counter's two upper words name the stream, the generator counts in the lower two: streams never overlap.
    """
    return np.random.Philox(key=seed, counter=[0, 0, epoch, purpose]).random_raw(n)


@lru_cache(maxsize=2)  # batches of one epoch come one after the other; the order of 40,000 windows takes 4 ms
def _order(seed: int, epoch: int, n: int) -> Int64[np.ndarray, " n"]:
    order = np.argsort(_words(seed, epoch, ORDER, n), kind="stable").astype(np.int64)
    order.flags.writeable = False  # it is shared through the cache
    return order
