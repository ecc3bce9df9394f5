"""Memory for whole batches, written by worker processes and read by the training process without a copy.

Targets are 8.7 MB a window. Sending a batch through a queue, as torch's DataLoader does, maps fresh pages for it each
time, which costs as much as decoding it; here a few slots are mapped once and filled again and again (see
benchmarks/RESULTS.md, bench_loader).

The memory is an anonymous file (memfd), which counts neither against /dev/shm, 64 MB in many containers, nor against
the limit of open files, for there is one for all slots.
"""

import mmap
import multiprocessing.reduction
import os
import tempfile
import weakref
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import UInt8

from regact.dataset.window_reader import WindowArrays


@dataclass(frozen=True)
class BatchLayout:
    """Where targets, codes and mask of one batch lie in a slot, one after the other."""

    batch_size: int
    window_bp: int
    n_bins: int
    n_tracks: int

    @property
    def slot_bytes(self) -> int:
        """Bytes of a slot, whole pages."""
        per_window = 2 * self.n_bins * self.n_tracks + self.window_bp + self.n_bins
        return -(-self.batch_size * per_window // mmap.PAGESIZE) * mmap.PAGESIZE

    def arrays(self, memory: UInt8[np.ndarray, " byte"]) -> WindowArrays:
        """The bytes of a slot as arrays: views, nothing is copied."""
        targets_end = 2 * self.batch_size * self.n_bins * self.n_tracks
        codes_end = targets_end + self.batch_size * self.window_bp
        mask_end = codes_end + self.batch_size * self.n_bins
        return WindowArrays(
            codes=memory[targets_end:codes_end].reshape(self.batch_size, self.window_bp),
            targets=memory[:targets_end].view(np.float16).reshape(self.batch_size, self.n_bins, self.n_tracks),
            mask=memory[codes_end:mask_end].view(np.bool_).reshape(self.batch_size, self.n_bins),
        )

    def new_arrays(self) -> WindowArrays:
        """Arrays like those of a slot, in memory of their own."""
        return self.arrays(np.empty(self.slot_bytes, dtype=np.uint8))


class BatchMemory:
    """Slots for batches, seen by this process and by every process that it is sent to while that is spawned.

    A slot is free, taken (being filled), or lent. It is lent as arrays; when the last of them, and of all tensors made
    from them, is collected, the slot is free again: whoever holds a batch may keep it as long as they like.
    """

    def __init__(self, layout: BatchLayout, n_slots: int) -> None:
        self.layout, self.n_slots = layout, n_slots
        self._free = deque(range(n_slots))
        self._file = _anonymous_file()
        os.ftruncate(self._file, n_slots * layout.slot_bytes)
        self._map = mmap.mmap(self._file, n_slots * layout.slot_bytes)

    @property
    def n_free(self) -> int:
        """How many slots are free."""
        return len(self._free)

    def take(self) -> int | None:
        """A free slot to be filled, None where there is none."""
        return self._free.popleft() if self._free else None

    def give_back(self, slot: int) -> None:
        """Free a slot that was taken and will not be lent."""
        self._free.append(slot)

    def arrays(self, slot: int) -> WindowArrays:
        """The arrays of a slot, to be filled."""
        return self.layout.arrays(self._bytes(slot))

    def lend(self, slot: int) -> WindowArrays:
        """The arrays of a taken slot, which is free again once all of them are collected."""
        lent = self._bytes(slot)
        weakref.finalize(lent, self._free.append, slot).atexit = False
        return self.layout.arrays(lent)

    def _bytes(self, slot: int) -> UInt8[np.ndarray, " byte"]:
        # A new array object each time: the views made from it keep it, and not each other, alive.
        return np.frombuffer(self._map, np.uint8, self.layout.slot_bytes, slot * self.layout.slot_bytes)

    def __getstate__(self) -> dict[str, Any]:
        return {
            "layout": self.layout,
            "n_slots": self.n_slots,
            "file": multiprocessing.reduction.DupFd(self._file),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.layout, self.n_slots = state["layout"], state["n_slots"]
        self._free = deque()  # slots are given out by the process that made them
        self._file = state["file"].detach()
        self._map = mmap.mmap(self._file, self.n_slots * self.layout.slot_bytes)

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            os.close(self._file)


def _anonymous_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("regact-batches")
    with tempfile.TemporaryFile() as file:  # macOS: unlinked, so gone with the last process
        return os.dup(file.fileno())
