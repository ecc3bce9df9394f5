"""Some windows of a store read, and the 4-mer ridge fitted and judged on them: what that takes."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Int64

from regact.dataset import Store, open_store
from regact.dataset.batch_plan import Augmentation
from regact.dataset.loader import Loader
from regact.dataset.schema import StoreHeader
from regact.engine import measured, peak_memory_bytes, reset_peak_memory
from regact.evaluation import judge_baseline
from regact.evaluation.baselines import MAX_WINDOWS

_READ = 32  # windows at most
_FEW, _MORE = 12, 60  # windows that the ridge is fitted and judged on, of every split its share


@dataclass(frozen=True)
class DataTask:
    """A store, whole or of a few windows; its genome, if it is elsewhere; on which splits the ridge is to be judged."""

    store: Path
    genome: Path | None
    augmentation: Augmentation
    ridge_splits: tuple[str, ...]


@dataclass(frozen=True)
class DataReadings:
    """What was found out.

    Attributes:
        opening: Seconds of opening store and genome, and of the cores.
        reading: Of reading one window.
        ridge: Of the ridge, if asked for: windows that it went through, seconds, and of the cores.
        ridge_ram: The most memory of the process while it was fitted and judged.
    """

    opening: tuple[float, float]
    reading: tuple[float, float]
    ridge: tuple[tuple[int, float, float], ...]
    ridge_ram: int


def probe_data(task: DataTask) -> DataReadings:
    """Read a few windows of a store, and let the ridge have a few."""
    with measured() as opening:
        store = open_store(task.store)
        genome = store.open_genome(task.genome)
    some = few_windows(store, _READ)
    loader = Loader(some, genome, "train", batch_size=1, augmentation=task.augmentation)
    batches = loader.epoch(0)
    next(batches)  # what is read and kept once
    n = max(1, loader.batches_per_epoch - 1)
    with measured() as reading:
        for _ in batches:
            pass
    reset_peak_memory()
    ridge = []
    for number in (_FEW, _FEW, _MORE) if task.ridge_splits else ():  # the first time loads what is loaded once
        part = share_of_windows(store, number)
        with tempfile.TemporaryDirectory(prefix="regact-plan-") as folder, measured() as usage:
            judge_baseline(part, genome, splits=task.ridge_splits, folder=Path(folder))
        ridge.append((ridge_windows(part, task.ridge_splits), usage.seconds, usage.cpu_seconds))
    return DataReadings(
        opening=(opening.seconds, opening.cpu_seconds),
        reading=(reading.seconds / n, reading.cpu_seconds / n),
        ridge=tuple(ridge[1:]),
        ridge_ram=peak_memory_bytes(),
    )


def ridge_windows(store: Store, splits: Sequence[str]) -> int:
    """How many windows the ridge goes through: it is fitted on some, chosen on some, judged on all of some splits."""
    counts = store.windows["split"].value_counts()
    fitted = sum(min(MAX_WINDOWS, int(counts.get(split, 0))) for split in ("train", "valid"))
    return fitted + sum(int(counts.get(split, 0)) for split in splits)


def few_windows(store: Store, most: int) -> Store:
    """The same store where each split has so many windows at most, evenly spread; in this process alone."""
    return _part(store, dict.fromkeys(store.windows["split"].unique(), most))


def share_of_windows(store: Store, total: int) -> Store:
    """The same with some `total` windows, of each split its share: of training windows the ridge asks more."""
    counts = store.windows["split"].value_counts()
    return _part(store, {str(split): max(2, round(total * n / counts.sum())) for split, n in counts.items()})


def _part(store: Store, most: Mapping[str, int]) -> Store:
    kept: list[Int64[np.ndarray, row]] = []
    for split, number in most.items():
        rows = store.rows(split)
        kept.append(rows[np.unique(np.linspace(0, len(rows) - 1, min(number, len(rows))).round().astype(int))])
    splits = pd.Series("", index=store.windows.index)
    rows = np.concatenate(kept)
    splits.iloc[rows] = store.windows["split"].iloc[rows]
    return _store_of(store.path, store.header, store.windows.assign(split=splits))


def planned_store(header: StoreHeader, windows: pd.DataFrame) -> Store:
    """A store that is not there yet, as far as its windows go: nothing can be read from it."""
    return _store_of(Path(), header, windows)


def _store_of(path: Path, header: StoreHeader, windows: pd.DataFrame) -> Store:
    store = Store(path, header, dict(header.roles))
    store.__dict__["windows"] = windows  # where the cached property keeps it
    return store
