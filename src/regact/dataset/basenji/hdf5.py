"""The HDF5 of Basenji's paper of 2018: three sets of sequences with their targets and the mask of each.

For each of train, valid and test: `SET_in` bool (sequence, position, 4), all false for N; `SET_out` float16 (sequence,
bin, track), the sum of base coverage; `SET_na` bool (sequence, bin), a bin that overlaps an unmappable region. Beside
them `pool_width`, `target_ids` and `target_labels`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from regact.dataset.basenji.window import SourceWindow, as_float16, codes_of_one_hot
from regact.dataset.config import SPLITS
from regact.errors import ConfigError, FormatError

_HEADER = ("pool_width", "target_ids", "target_labels")
_ARRAYS = ("in", "out", "na")
BLOCK_BYTES = 2**28  # of targets read at once: a chunk of the file may hold parts of a hundred sequences


@dataclass(frozen=True)
class Hdf5Layout:
    """What a file holds, its sets found to agree.

    Attributes:
        path: The file.
        window_bp, n_bins, bin_bp: Shape of the windows.
        identifiers, labels: Of each track.
        counts: Sequences of each set.
        chunk_rows: Sequences that share a chunk of the file, the same from the first of each set on.
        block_rows: Of those, how many are read at once: all, so that the chunk is unpacked once, or as memory lets.
    """

    path: Path
    window_bp: int
    n_bins: int
    bin_bp: int
    identifiers: tuple[str, ...]
    labels: tuple[str, ...]
    counts: dict[str, int]
    chunk_rows: dict[str, int]
    block_rows: dict[str, int]


def read_layout(path: Path) -> Hdf5Layout:
    """What the file holds; no sequence and no target is read.

    Raises: FormatError where it is no HDF5 file; ConfigError with every data set that is missing or of another shape.
    """
    with _open(path) as file:
        _check_present(path, file)
        n_bins, n_tracks = file["train_out"].shape[1:]
        layout = Hdf5Layout(
            path=path,
            window_bp=file["train_in"].shape[1],
            n_bins=n_bins,
            bin_bp=int(np.ravel(file["pool_width"][()])[0]),
            identifiers=_texts(file["target_ids"]),
            labels=_texts(file["target_labels"]),
            counts={split: len(file[f"{split}_out"]) for split in SPLITS},
            chunk_rows={split: _chunk_rows(file[f"{split}_out"]) for split in SPLITS},
            block_rows={split: _block_rows(file[f"{split}_out"]) for split in SPLITS},
        )
        problems = _disagreements(file, layout, n_tracks)
    if problems:
        raise ConfigError(path, problems)
    return layout


def read_rows(path: Path, split: str, rows: range, chunk_rows: int, block_rows: int) -> Iterator[SourceWindow]:
    """The windows of some rows of a set, in order; blocks end where chunks of the file do, so that none has two.

    Raises: FormatError naming the row where bases are no one-hot code, or the place in the file cannot be read.
    """
    with _open(path) as file:
        for block in _blocks(rows, chunk_rows, block_rows):
            where = f"{path}, {split}, sequences {block.start} to {block.stop - 1}"
            try:
                bases, targets, unmappable = (file[f"{split}_{name}"][block] for name in _ARRAYS)
                codes = codes_of_one_hot(bases)
            except OSError as error:
                raise FormatError(where, f"cannot be read ({error})", "a whole file", "download it again") from None
            except ValueError as error:
                raise FormatError(where, str(error), "one 1 for each base, or none for N") from None
            targets, changed = as_float16(targets)
            rounded = np.count_nonzero(changed, axis=(1, 2)).tolist()
            for number in range(block.stop - block.start):
                name = f"{path}, {split}, sequence {block.start + number}"
                mask = unmappable[number].astype(bool)
                yield SourceWindow(name, codes[number], targets[number], mask, rounded[number])


def _blocks(rows: range, chunk_rows: int, block_rows: int) -> Iterator[slice]:
    first = rows.start
    while first < rows.stop:
        end_of_chunk = (first // chunk_rows + 1) * chunk_rows
        yield slice(first, min(first + block_rows, end_of_chunk, rows.stop))
        first = min(first + block_rows, end_of_chunk)


@contextmanager
def _open(path: Path) -> Iterator[h5py.File]:
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise FormatError(path, f"cannot be read as HDF5 ({error})", "the HDF5 of Basenji's paper of 2018") from None
    with file:
        yield file


def _check_present(path: Path, file: h5py.File) -> None:
    ranks = dict.fromkeys(_HEADER, 0) | {f"{split}_{name}": 3 for split in SPLITS for name in ("in", "out")}
    ranks |= {f"{split}_na": 2 for split in SPLITS}
    found = ", ".join(list(file)[:20]) or "nothing"
    problems = []
    for name, rank in ranks.items():
        data = file.get(name)
        if not isinstance(data, h5py.Dataset):
            problems.append(f"data set {name} is missing; the file holds {found}")
        elif rank and data.ndim != rank:
            problems.append(f"data set {name} has {data.ndim} dimensions; needed {rank}")
    if problems:
        raise ConfigError(path, problems)


def _disagreements(file: h5py.File, layout: Hdf5Layout, n_tracks: int) -> list[str]:
    """What of the file does not fit the shape that its training set has."""
    problems = []
    for split, count in layout.counts.items():
        shapes = {"in": (layout.window_bp, 4), "out": (layout.n_bins, n_tracks), "na": (layout.n_bins,)}
        for name, shape in shapes.items():
            found, needed = file[f"{split}_{name}"].shape, (count, *shape)
            if found != needed:
                problems.append(f"{split}_{name} has the shape {found}; needed {needed}")
    for name, texts in (("target_ids", layout.identifiers), ("target_labels", layout.labels)):
        if len(texts) != n_tracks:
            problems.append(f"{name} has {len(texts):,} entries; needed one for each of {n_tracks:,} tracks")
    if layout.n_bins * layout.bin_bp != layout.window_bp:
        problems.append(f"{layout.n_bins} bins of pool_width {layout.bin_bp} are not {layout.window_bp} positions")
    return problems


def _chunk_rows(targets: h5py.Dataset) -> int:
    return (targets.chunks or (1,))[0]


def _block_rows(targets: h5py.Dataset) -> int:
    """The rows of a chunk, or equal parts of it where those of all its tracks are too many at once."""
    rows, row_bytes = _chunk_rows(targets), 2 * targets.shape[1] * targets.shape[2]
    parts = -(-rows * row_bytes // BLOCK_BYTES)
    return max(1, -(-rows // max(1, parts)))


def _texts(data: h5py.Dataset) -> tuple[str, ...]:
    return tuple(
        text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text) for text in data[()].tolist()
    )
