"""Reading one window, sequence and targets, from genome and store into memory that is already there."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float16, Int64, UInt8

from regact.dataset.store import Store
from regact.genome import Genome, Interval


@dataclass(frozen=True)
class WindowArrays:
    """Where the windows of one batch are read to; item j of each array is window j."""

    codes: UInt8[np.ndarray, "batch position"]
    targets: Float16[np.ndarray, "batch bin track"]
    mask: Bool[np.ndarray, "batch bin"]


class WindowReader:
    """Reads windows by their row in the store's window table; pickled, it is the paths of store and genome."""

    def __init__(self, store: Store, genome: Genome) -> None:
        self.store, self.genome = store, genome

    def __reduce__(self) -> tuple[object, ...]:
        return WindowReader, (self.store, self.genome)

    def read_into(self, arrays: WindowArrays, j: int, row: int, shift: int) -> None:
        """Read the window of table row `row`, its sequence moved by `shift` bp, into item `j` of `arrays`."""
        start = int(self._starts[row]) + shift
        arrays.codes[j] = self.genome.fetch(Interval(self._chroms[row], start, start + self.store.window_bp))
        self.store.read_targets_into(row, arrays.targets[j])
        arrays.mask[j] = self.store.read_mask(row)

    @cached_property
    def _chroms(self) -> list[str]:
        return self.store.windows["chrom"].tolist()

    @cached_property
    def _starts(self) -> Int64[np.ndarray, " window"]:
        return self.store.windows["start"].to_numpy(dtype=np.int64)
