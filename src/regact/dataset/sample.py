"""A few windows of a dataset that is not there yet, built or imported as all of them would be: what that takes.

Two samples of different size make a straight line: what the work costs before the first window, and what each window
adds to time and disk. Memory does not grow with windows (`parts.py`).
"""

import itertools
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Int64

from regact.dataset.basenji.plan import ImportPlan, Part
from regact.dataset.basenji.run import run_import
from regact.dataset.basenji.window import SourceWindow
from regact.dataset.build import DISK_BLOCK_BYTES, fill_store
from regact.dataset.mask import target_intervals
from regact.dataset.plan import BuildPlan
from regact.engine import measured, memory_bytes, peak_memory_bytes
from regact.genome import Regions

_FIRST = 16  # windows of the first sample
_BLOCK = 16  # windows in a row, which are read in one go as they are in a build
_BLOCK_OF_FIRST = 4


@dataclass(frozen=True)
class SampleTask:
    """What to try: a plan, an empty folder to work in, and how many seconds it may take, roughly."""

    plan: BuildPlan | ImportPlan
    folder: Path
    seconds: float


@dataclass(frozen=True)
class SampleReading:
    """What some windows took: time with one process, and the room of their store in whole blocks of the disk."""

    windows: int
    seconds: float
    cpu_seconds: float
    disk_bytes: int


@dataclass(frozen=True)
class DatasetSample:
    """What was found out.

    Attributes:
        readings: One or two, the larger last.
        of_windows: How many windows the dataset has.
        store: The store of the last reading.
        start_cpu_seconds: Of the cores until the process had started, as each worker has to.
        base_bytes: Memory of the process before it began.
        peak_bytes: The most that it had.
    """

    readings: tuple[SampleReading, ...]
    of_windows: int
    store: Path
    start_cpu_seconds: float
    base_bytes: int
    peak_bytes: int


def sample_dataset(task: SampleTask) -> DatasetSample:
    """Build or import some windows of a plan in one process, twice where there is time for more than the first few.

    Raises: what is wrong with the values of these windows, as the build or import would.
    """
    n = len(task.plan.windows)
    started, base = time.process_time(), memory_bytes()
    readings = [_read(task, _FIRST, _BLOCK_OF_FIRST, "first")]
    first = readings[0]
    affordable = int(task.seconds / max(first.seconds, 1e-3) * first.windows)
    if first.windows < n and affordable >= 2 * first.windows:
        second = _read(task, min(n, affordable), _BLOCK, "second")
        readings = [first, second] if second.windows > first.windows else [second]
    name = "first" if readings[-1] is first else "second"
    return DatasetSample(tuple(readings), n, task.folder / name, started, base, peak_memory_bytes())


def disk_bytes(folder: Path) -> int:
    """The room that the files of a folder take, in whole blocks of the disk."""
    sizes = (file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return sum(-(-size // DISK_BLOCK_BYTES) * DISK_BLOCK_BYTES for size in sizes)


def _read(task: SampleTask, wanted: int, block: int, name: str) -> SampleReading:
    store = task.folder / name
    with measured() as usage:
        if isinstance(task.plan, ImportPlan):
            some = some_imported(task.plan, wanted)
            run_import(some, store, workers=1)
            n = len(some.windows)
        else:
            rows = spread(task.plan.windows["split"], wanted, block)
            n = len(rows)
            work = task.folder / f"{name}.work"
            work.mkdir(parents=True)
            fill_store(store, work, some_built(task.plan, rows), workers=1)
    return SampleReading(n, usage.seconds, usage.cpu_seconds, disk_bytes(store))


def some_built(plan: BuildPlan, rows: Int64[np.ndarray, "row"]) -> BuildPlan:
    """The plan of a dataset that has these windows only."""
    windows = plan.windows.iloc[rows].reset_index(drop=True)
    covered = tuple(Regions.from_intervals(target_intervals(windows, plan.config)))
    return replace(plan, windows=windows, mask=plan.mask[rows], covered=covered)


def some_imported(plan: ImportPlan, wanted: int) -> ImportPlan:
    """The plan of an import of about `wanted` windows: the first of some parts, evenly spread over each split.

    Small parts may hold fewer together than are wanted.
    """
    if wanted >= len(plan.windows):
        return plan
    splits = plan.windows["split"].to_numpy()[plan.rows[[part.first for part in plan.parts if part.n_windows]]]
    parts = [part for part in plan.parts if part.n_windows]
    chosen = [parts[i] for i in spread(pd.Series(splits), max(1, wanted // _BLOCK), 1)]
    each = max(1, -(-wanted // len(chosen)))
    cut: list[Part] = []
    numbers: list[int] = []
    for part in chosen:
        n = min(each, part.n_windows)
        cut.append(Part(part.name, partial(_first, part, n), len(numbers), n))
        numbers += range(part.first, part.first + n)
    rows = plan.rows[numbers]
    kept = np.unique(rows)
    windows = plan.windows.iloc[kept].reset_index(drop=True)
    return replace(plan, windows=windows, rows=np.searchsorted(kept, rows), parts=tuple(cut))


def spread(splits: pd.Series, wanted: int, block: int) -> Int64[np.ndarray, "row"]:
    """About `wanted` rows, each split its share and one block at least: blocks of rows in a row, evenly spread."""
    return np.unique(np.concatenate(list(_spread(splits, wanted, block)))).astype(np.int64)


def _spread(splits: pd.Series, wanted: int, block: int) -> Iterator[np.ndarray]:
    for split in splits.unique():
        rows = np.flatnonzero((splits == split).to_numpy())
        size = min(block, len(rows))
        blocks = max(1, round(wanted * len(rows) / len(splits) / size))
        if wanted >= len(splits):
            yield rows
            continue
        for first in np.linspace(0, len(rows) - size, blocks).round().astype(int):
            yield rows[first : first + size]


def _first(part: Part, n: int) -> Iterable[SourceWindow]:
    return itertools.islice(part.read(), n)
