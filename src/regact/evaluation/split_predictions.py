"""The predictions of a split on disk, track by track: for measures that need all bins of a track at once.

Sums over bins can be streamed; ranks cannot. So a split is predicted once, and predicted and measured values of its
unmasked bins are laid down as two matrices `(track, bin)`. A measure then reads one track at a time, whatever the
number of tracks: 1.4 million bins take 8.4 MB, 4,229 tracks of them 36 GB of disk.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from regact.dataset import Store
from regact.dataset.augment import Example
from regact.dataset.batch import Batch
from regact.engine import available_cores, check_space, run_tasks, whole_folder, write_json
from regact.errors import RunError

_PREDICTED, _MEASURED, _MADE_FROM = "predicted.npy", "measured.npy", "made_from.json"
_BYTES_PER_VALUE = 4 + 2  # float32 predictions; measured values are float16 as in the store
_VALUES_WORTH_A_PROCESS = 20_000_000  # starting one takes two seconds, in which a core ranks about so many

Result = TypeVar("Result")
PerTrack = Callable[[Float32[np.ndarray, "bin"], Float32[np.ndarray, "bin"]], Result]


@dataclass(frozen=True)
class SplitPredictions:
    """Predicted and measured values of all unmasked bins of a split, one row a track.

    Bins stand in the order of the split's windows and of the bins in them; a bin that lies in several windows stands
    there once for each.

    Attributes:
        folder: Where the matrices lie.
        store: The dataset.
        split: train, valid or test.
    """

    folder: Path
    store: Store
    split: str

    @property
    def n_tracks(self) -> int:
        """Tracks."""
        return self.store.n_tracks

    @property
    def n_bins(self) -> int:
        """Unmasked bins."""
        return len(self.places[0])

    @cached_property
    def places(self) -> tuple[Int64[np.ndarray, "bin"], Int64[np.ndarray, "bin"]]:
        """Of every column its row of the store's window table, and its bin in that window's target."""
        rows = self.store.rows(self.split)
        window, place = np.nonzero(self.store.read_mask(rows))
        return rows[window], place

    def predicted(self, track: int) -> Float32[np.ndarray, "bin"]:
        """Expected counts of one track."""
        return _read_track(self.folder / _PREDICTED, track)

    def measured(self, track: int) -> Float32[np.ndarray, "bin"]:
        """Measured counts of one track."""
        return _read_track(self.folder / _MEASURED, track)

    def per_track(
        self, function: PerTrack[Result], *, label: str, workers: int | None = None, tracks: Sequence[int] | None = None
    ) -> list[Result]:
        """`function(predicted, measured)` of each track (of `tracks`), in order; one track a process is in memory.

        `function` and its results are pickled where there is enough to do for several processes.
        """
        chosen = range(self.n_tracks) if tracks is None else tracks
        enough = len(chosen) * self.n_bins >= _VALUES_WORTH_A_PROCESS
        tasks = [_TrackTask(self.folder, track, function) for track in chosen]
        done = run_tasks(
            _run_track,
            tasks,
            workers=(available_cores() if workers is None else workers) if enough else 1,
            label=label,
            describe=lambda task: self.store.sheet.identifiers[task.track],
        )
        results = dict(done)
        return [results[index] for index in range(len(tasks))]


@dataclass(frozen=True)
class _TrackTask:
    folder: Path
    track: int
    function: Callable[..., Any]


def _run_track(task: _TrackTask) -> Any:
    predicted, measured = (_read_track(task.folder / name, task.track) for name in (_PREDICTED, _MEASURED))
    return task.function(predicted, measured)


class PredictionWriter:
    """Takes the batches of a split in order, as the `observe` of `evaluate`, and lays down what it sees.

    Args:
        folder: An empty folder.
        store: The dataset.
        split: train, valid or test.
    """

    def __init__(self, folder: Path, store: Store, split: str) -> None:
        self.folder = folder
        shape = (store.n_tracks, int(store.read_mask(store.rows(split)).sum()))
        self._predicted = np.lib.format.open_memmap(folder / _PREDICTED, "w+", np.float32, shape)
        self._measured = np.lib.format.open_memmap(folder / _MEASURED, "w+", np.float16, shape)
        self._next = 0

    def __call__(self, batch: Batch, example: Example, rate: Float[Tensor, "batch track bin"]) -> None:
        """Write the unmasked bins of a batch."""
        mask = batch.mask.numpy()
        rates = rate.float().cpu().numpy()
        self.add(rates.transpose(1, 0, 2)[:, mask], batch.targets.numpy()[mask].T)

    def add(self, predicted: Float[np.ndarray, "track bin"], measured: Float[np.ndarray, "track bin"]) -> None:
        """Write the next bins, all unmasked."""
        columns = slice(self._next, self._next + predicted.shape[1])
        self._predicted[:, columns] = predicted
        self._measured[:, columns] = measured
        self._next = columns.stop

    def finish(self) -> None:
        """Force the matrices to the disk.

        Raises: RunError where bins are missing.
        """
        found, needed = self._next, self._predicted.shape[1]
        if found != needed:
            raise RunError(self.folder, f"{found:,} bins were predicted", f"{needed:,}, all that are unmasked")
        self._predicted.flush()
        self._measured.flush()


def store_predictions(
    folder: Path,
    store: Store,
    split: str,
    *,
    made_from: dict[str, str],
    predict: Callable[[PredictionWriter], object],
) -> SplitPredictions:
    """The predictions of a split in `folder`: those that lie there, or those that `predict` gives to its writer.

    Args:
        made_from: What the predictions hold for; another `made_from.json` in the folder means that they are made anew.
        predict: Predicts the split and hands every batch to the writer.

    Raises: DiskSpaceError where the disk has no room for them.
    """
    if _read_made_from(folder) != made_from:
        n_bins = int(store.read_mask(store.rows(split)).sum())
        check_space(folder, store.n_tracks * n_bins * _BYTES_PER_VALUE, f"the predictions of split {split}")
        with whole_folder(folder, overwrite=True) as unfinished:
            writer = PredictionWriter(unfinished, store, split)
            predict(writer)
            writer.finish()
            write_json(unfinished / _MADE_FROM, made_from)
    return SplitPredictions(folder, store, split)


def _read_made_from(folder: Path) -> Any:
    try:
        return json.loads((folder / _MADE_FROM).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _read_track(path: Path, track: int) -> Float32[np.ndarray, "bin"]:
    return np.load(path, mmap_mode="r")[track].astype(np.float32)
