"""The two kinds of work that a build consists of, each an independent task that leaves one file when it is done.

Signals are read track by track, but a store keeps a window's tracks together. So `read_part` writes the values of one
track on a span of windows to a raw file, and `assemble_windows` gathers some windows from the files of all tracks.
Neither needs memory for more than its own windows, however many windows or tracks there are.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float16, Float64

from regact.dataset.config import DatasetConfig
from regact.dataset.schema import digest
from regact.dataset.store_writer import write_targets
from regact.dataset.track_sums import STATISTICS, sums_of_track
from regact.genome import Interval, Regions
from regact.tracks import Signal, Track, TrackTransform, open_signal, read_binned

_TRACKS_AT_ONCE = 64


@dataclass(frozen=True)
class PartTask:
    """One track on a span of windows.

    Attributes:
        track: The row of the sheet.
        contig_names: For each of the track's files, the file's name of each contig.
        transform: From pooled coverage to the stored value.
        targets: The windows' target intervals.
        mask: Which of their bins count, for the statistics.
        blacklist: Bases to clip to the baseline; None where the span has none.
        bin_bp: Bases per bin.
        path: The file to write (`part_path`).
    """

    track: Track
    contig_names: tuple[dict[str, str], ...]
    transform: TrackTransform
    targets: tuple[Interval, ...]
    mask: Bool[np.ndarray, "window bin"]
    blacklist: Regions | None
    bin_bp: int
    path: Path

    def __str__(self) -> str:
        return f"track {self.track.identifier} on {self.targets[0]} to {self.targets[-1]}"

    def is_done(self) -> bool:
        """Whether its file is there and whole."""
        return self.path.is_file() and self.path.stat().st_size == part_bytes(*self.mask.shape)


@dataclass(frozen=True)
class AssemblyTask:
    """Consecutive windows of the store, to be gathered from the parts of all tracks.

    Attributes:
        store: Folder of the unfinished store.
        rows: Rows of the windows in the store.
        span: Rows that each part holds.
        n_tracks: Tracks.
        parts: Folder of the parts.
        config: The store's settings: bins and compression.
        path: The file to write when done; it holds the digest of each window's values.
    """

    store: Path
    rows: range
    span: range
    config: DatasetConfig
    n_tracks: int
    parts: Path
    path: Path

    def __str__(self) -> str:
        return f"windows {self.rows.start} to {self.rows.stop - 1}"

    def is_done(self) -> bool:
        """Whether the digests were written, which comes last."""
        return self.path.is_file()


def part_path(folder: Path, track: int, span: range) -> Path:
    """The file of a track (by its place in the sheet) on a span of rows."""
    return folder / f"track_{track}_windows_{span.start}.f16"


def part_bytes(n_windows: int, n_bins: int) -> int:
    """Size of a part's file: float16 values (window, bin), then the statistics in float64."""
    return n_windows * n_bins * 2 + len(STATISTICS) * 8


def read_part(task: PartTask) -> None:
    """Write the stored values of one track on a span of windows, and their statistics.

    Raises: FormatError, DataError naming track and place, as `read_binned`.
    """
    signals = _open_signals(task.track.files)
    values = np.empty(task.mask.shape, dtype=np.float16)
    n_bins = task.targets[0].length // task.bin_bp
    for rows in _runs(task):
        chrom, start = task.targets[rows.start].chrom, task.targets[rows.start].start
        run = Interval(chrom, start, task.targets[rows.stop - 1].end)
        binned = read_binned(task.track, signals, run, task.bin_bp, task.transform, task.blacklist, task.contig_names)
        for row in rows:
            first = (task.targets[row].start - start) // task.bin_bp
            values[row] = binned[first : first + n_bins]
    content = values.tobytes() + sums_of_track(values[task.mask], task.track.clip).tobytes()
    _write_whole(task.path, lambda temporary: temporary.write_bytes(content))


def _runs(task: PartTask) -> Iterator[range]:
    """Rows whose targets touch or overlap bin on bin: together they are read once, and in one go.

    A window that touches the blacklist stands alone, since its baseline is its own.
    """
    first = 0
    alone = [task.blacklist is not None and task.blacklist.overlaps(target) for target in task.targets]
    for row in range(1, len(task.targets)):
        start, last, target = task.targets[first], task.targets[row - 1], task.targets[row]
        goes_on = (
            target.chrom == start.chrom
            and last.start <= target.start <= last.end
            and (target.start - start.start) % task.bin_bp == 0
            and not (alone[row] or alone[first])
        )
        if not goes_on:
            yield range(first, row)
            first = row
    yield range(first, len(task.targets))


def assemble_windows(task: AssemblyTask) -> None:
    """Write the targets of some windows to the store."""
    targets = np.empty((len(task.rows), task.config.n_bins, task.n_tracks), dtype=np.float16)
    for first in range(0, task.n_tracks, _TRACKS_AT_ONCE):
        # Several tracks at once: one by one each value would touch a cache line of its own.
        tracks = range(first, min(first + _TRACKS_AT_ONCE, task.n_tracks))
        tile = np.stack([_read_values(track, task) for track in tracks])
        targets[:, :, tracks.start : tracks.stop] = tile.transpose(1, 2, 0)
    write_targets(task.store, task.rows.start, targets, task.config)
    digests = "".join(f"{digest(window)}\n" for window in targets)
    _write_whole(task.path, lambda temporary: temporary.write_text(digests))


def read_statistics(path: Path) -> Float64[np.ndarray, "statistic"]:
    """The statistics at the end of a part, in the order of `STATISTICS`."""
    size = len(STATISTICS) * 8
    with path.open("rb") as part:
        part.seek(-size, 2)
        return np.frombuffer(part.read(size), dtype=np.float64)


def _read_values(track: int, task: AssemblyTask) -> Float16[np.ndarray, "window bin"]:
    path, offset = part_path(task.parts, track, task.span), task.rows.start - task.span.start
    values = np.fromfile(path, np.float16, len(task.rows) * task.config.n_bins, offset=offset * task.config.n_bins * 2)
    return values.reshape(len(task.rows), task.config.n_bins)


@lru_cache(maxsize=1)  # tasks come track by track, and a bedGraph is read as a whole when it is opened
def _open_signals(files: tuple[Path, ...]) -> tuple[Signal, ...]:
    return tuple(open_signal(file) for file in files)


def _write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write under another name and rename.

    Unlike `engine.whole_file` it does not wait for the disk: there are many thousands of these files, a killed process
    loses none, and a part that a power cut shortened is seen by its size.
    """
    temporary = path.with_name(path.name + ".partial")
    write(temporary)
    temporary.replace(path)
