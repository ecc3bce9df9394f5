"""A built dataset on disk: opened, checked, and read by rows of its window table."""

import copy
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pandas as pd
import zarr
from jaxtyping import Bool, Float16, Int64

from regact.dataset.config import SPLITS
from regact.dataset.schema import REBUILD, SEQUENCES, StoreHeader, check_arrays, digest, read_header
from regact.errors import DataError, StoreError
from regact.genome import Genome, Interval, load_genome, open_known_parts
from regact.tracks import TrackSheet


class Store:
    """A dataset: windows of a genome, and for each the values of all tracks in bins.

    Made by `open_store`. Pickling sends the path, the roles of the folds and the crop; a worker process opens its own
    handles.
    """

    def __init__(self, path: Path, header: StoreHeader, roles: dict[str, str], more_crop: int = 0) -> None:
        self.path = path
        self.header = header
        self.roles = roles
        self._more_crop = more_crop  # bins that are stored at each end and not shown

    def __repr__(self) -> str:
        """One line: where it lies, windows of each split, their shape, tracks, genome."""
        counts = self.windows["split"].value_counts()
        splits = ", ".join(f"{counts[split]:,} {split}" for split in SPLITS if split in counts)
        return (
            f"Store({str(self.path)!r}: {splits} windows; window_bp {self.window_bp:,}, bin_bp {self.bin_bp}; "
            f"{self.n_bins:,} bins x {self.n_tracks:,} tracks; genome {self.genome_name})"
        )

    def __reduce__(self) -> tuple[object, ...]:
        return _reopen, (self.path, self.header.fingerprint, self.roles, self._more_crop)

    @cached_property
    def _group(self) -> zarr.Group:
        return zarr.open_group(self.path, mode="r")

    def _array(self, name: str) -> zarr.Array[Any]:
        array = self._group[name]
        if not isinstance(array, zarr.Array):
            raise StoreError(self.path, f"{name} is a group", "an array", REBUILD)
        return array

    @cached_property
    def targets(self) -> zarr.Array[Any]:
        """Values as stored, float16 (window, bin, track); one chunk per window. `with_crop` changes nothing here."""
        return self._array("targets")

    @cached_property
    def mask(self) -> zarr.Array[Any]:
        """Which bins count, as stored, bool (window, bin): False where blacklisted, unmappable or N."""
        return self._array("mask")

    @cached_property
    def windows(self) -> pd.DataFrame:
        """One row per window in genome order: chrom, start, end, split, fold, contig.

        `start` and `end` (0-based, half-open) are the model's input; the target lies `crop_bins` inside. `contig`
        numbers the stretches without a gap or a change of fold that windows lie in.
        """
        column = self._table_columns()
        folds = pd.Series(np.asarray(self.header.folds)[column["fold"]])
        return pd.DataFrame(
            {
                "chrom": np.asarray(list(self.header.genome.lengths))[column["chrom"]],
                "start": column["start"],
                "end": column["start"] + self.window_bp,
                "split": folds.map(self.roles),
                "fold": folds,
                "contig": column["contig"],
            }
        )

    def _table_columns(self) -> dict[str, np.ndarray]:
        return {name: np.asarray(self._array(f"window_{name}")[:]) for name in ("chrom", "start", "fold", "contig")}

    @cached_property
    def sheet(self) -> TrackSheet:
        """The track sheet as it was when the store was built."""
        return self.header.sheet()

    @cached_property
    def track_statistics(self) -> pd.DataFrame:
        """Each track's mean, variance, max and clipped (bins at the hard clip) over unmasked bins, as stored."""
        names = ("mean", "variance", "max", "clipped")
        values = {name: np.asarray(self._array(f"track_{name}")[:]) for name in names}
        return pd.DataFrame(values, index=pd.Index(self.sheet.identifiers, name="identifier"))

    @property
    def depth_factors(self) -> np.ndarray:
        """Each track's factor from depth scaling, float64; 1 where there was none. Divide by it to undo."""
        return np.array([record.depth_factor for record in self.header.tracks])

    @property
    def window_bp(self) -> int:
        """Length of a window."""
        return self.header.config.window_bp

    @property
    def bin_bp(self) -> int:
        """Bases per bin."""
        return self.header.config.bin_bp

    @property
    def crop_bins(self) -> int:
        """Bins without targets at each end of a window."""
        return self.header.config.crop_bins + self._more_crop

    @property
    def max_shift_bp(self) -> int:
        """The largest shift that keeps windows of different splits apart."""
        return self.header.config.max_shift_bp

    @property
    def n_bins(self) -> int:
        """Bins of a target."""
        return self.header.config.n_bins - 2 * self._more_crop

    @property
    def n_tracks(self) -> int:
        """Tracks of a target."""
        return len(self.header.tracks)

    @property
    def n_windows(self) -> int:
        """Windows of all splits."""
        return int(self.targets.shape[0])

    @property
    def genome_name(self) -> str:
        """Name of the genome that the store was built on."""
        return self.header.genome.name

    @property
    def genome_path(self) -> Path:
        """Where the genome lay when the store was built."""
        return Path(self.header.genome.path)

    @property
    def genome_checksum(self) -> str:
        """Checksum of the genome (`Genome.checksum`)."""
        return self.header.genome.checksum

    @property
    def fingerprint(self) -> str:
        """sha256 over all that defines the content: two stores of one fingerprint hold the same."""
        return self.header.fingerprint

    def rows(self, split: str) -> Int64[np.ndarray, "row"]:
        """Rows of the window table that belong to `split`, in genome order.

        Raises: ValueError for an unknown split; DataError where the split has no window.
        """
        if split not in SPLITS:
            raise ValueError(f"split {split!r}; needed one of {', '.join(SPLITS)}")
        rows = np.flatnonzero((self.windows["split"] == split).to_numpy()).astype(np.int64)
        if not len(rows):
            counts = self.windows["split"].value_counts()
            found = ", ".join(f"{counts.get(name, 0)} {name}" for name in SPLITS)
            raise DataError(self.path, f"split {split} is empty (windows: {found})", "at least one window", REBUILD)
        return rows

    def window(self, row: int) -> Interval:
        """The interval that the model reads in one row of the window table: what `Genome.fetch` takes."""
        place = int(self._check_rows(row))
        start = int(self.windows["start"].to_numpy()[place])
        return Interval(str(self.windows["chrom"].iloc[place]), start, start + self.window_bp)

    def read(
        self, rows: Iterable[int] | int
    ) -> tuple[Float16[np.ndarray, "*row bin track"], Bool[np.ndarray, "*row bin"]]:
        """Targets and mask of some rows, in the order asked for (rows may repeat), or of one.

        Raises: TypeError where they are no whole numbers; ValueError for a row that the window table has not.
        """
        wanted = self._check_rows(rows)
        targets = np.empty((*wanted.shape, self.n_bins, self.n_tracks), dtype=np.float16)
        for position in np.ndindex(wanted.shape):
            self.read_targets_into(int(wanted[position]), targets[position])
        return targets, self.read_mask(wanted)

    def _check_rows(self, rows: Iterable[int] | int) -> Int64[np.ndarray, "*row"]:
        wanted = np.asarray(list(rows) if np.iterable(rows) and not isinstance(rows, str) else rows)
        if wanted.size and (wanted.dtype.kind not in "iu" or wanted.ndim > 1):
            found = repr(rows) if isinstance(rows, str) else f"a {type(rows).__name__} of {wanted.dtype}"
            found += f" with {wanted.ndim} axes" if wanted.ndim > 1 else ""
            raise TypeError(
                f"rows are {found}; needed numbers of rows of store.windows: one or a list of them, "
                'such as store.rows("test")'
            )
        if outside := wanted[(wanted < 0) | (wanted >= self.n_windows)].tolist():
            raise ValueError(f"row {outside[0]} is not in {self.path}; needed 0 to {self.n_windows - 1}")
        return wanted.astype(np.int64)

    def read_targets_into(self, row: int, targets: Float16[np.ndarray, "bin track"]) -> None:
        """Decode the targets of one row into contiguous memory that is already there.

        The row's chunk is decoded where it is wanted, in the calling thread: through Zarr's own reading the values are
        copied once more and pass between threads, a sixth to a quarter slower. Zarr also takes a chunk that is not
        there for zeros; here that is an error, since a build writes them all.

        Raises: StoreError where they are missing or damaged.
        """
        if self._more_crop:
            whole = np.empty((self.header.config.n_bins, self.n_tracks), dtype=np.float16)
            self._decode(row, whole)
            targets[:] = whole[self._shown]
        else:
            self._decode(row, targets)

    def _decode(self, row: int, targets: Float16[np.ndarray, "bin track"]) -> None:
        targets[-1, -1] = np.nan  # no stored value; a chunk that is too short leaves it there
        try:
            self._codec.decode(self._chunk(row).read_bytes(), out=targets)
        except FileNotFoundError as error:
            raise StoreError(self.path, f"targets of row {row} are missing", "", REBUILD) from error
        except (RuntimeError, ValueError) as error:  # what the codecs raise
            raise StoreError(self.path, f"targets of row {row} are damaged ({error})", "", REBUILD) from error
        if np.isnan(targets[-1, -1]):
            raise StoreError(self.path, f"targets of row {row} are damaged (too short)", "", REBUILD)

    def _chunk(self, row: int) -> Path:
        # Its name as the array's metadata has it: a store keeps working whatever later builds call their files.
        return self.path / "targets" / self.targets.metadata.encode_chunk_key((row, 0, 0))

    @cached_property
    def _codec(self) -> Any:  # numcodecs has no types
        return numcodecs.Zstd() if self.header.config.codec == "zstd" else numcodecs.Blosc()

    def read_mask(self, rows: Int64[np.ndarray, "row"] | int) -> Bool[np.ndarray, "*row bin"]:
        """Mask of some rows, or of one."""
        return self._whole_mask[rows][..., self._shown]

    @property
    def _shown(self) -> slice:
        """The stored bins that are shown."""
        return slice(self._more_crop, self.header.config.n_bins - self._more_crop)

    @cached_property
    def _whole_mask(self) -> Bool[np.ndarray, "window bin"]:
        return np.asarray(self.mask[:], dtype=bool)  # 14 MB for the windows of a human genome

    def open_genome(self, fasta: str | Path | None = None) -> Genome:
        """The genome that the store was built on, from where it lay or from `fasta`.

        A store that keeps its sequences itself gives those, N where none is known; with `fasta`, the whole genome, once
        every window was found to be the same there.

        Raises: StoreError where it is another genome, or is gone.
        """
        if self.header.genome.kept:
            kept = self._open_sequences()
            return kept if fasta is None else self._open_same(kept, Path(fasta))
        path = Path(fasta) if fasta is not None else self.genome_path
        if not path.exists():
            raise StoreError(
                self.path,
                f"its genome {self.genome_name} is not at {path}",
                f"a FASTA with checksum {self.genome_checksum[:12]}",
                "say where it is with --genome",
            )
        genome = load_genome(path)
        if genome.checksum != self.genome_checksum:
            raise StoreError(
                self.path,
                f"{path} has checksum {genome.checksum[:12]}",
                f"the genome that it was built on, {self.genome_name} with checksum {self.genome_checksum[:12]}",
                "say with --genome where that is, or build the store again on the other genome",
            )
        return genome

    def _open_sequences(self) -> Genome:
        kept = open_known_parts(self.path / SEQUENCES)
        if kept.checksum != self.genome_checksum:
            raise StoreError(self.path, "its sequences are not those that were imported", "", REBUILD)
        return kept

    def _open_same(self, kept: Genome, fasta: Path) -> Genome:
        """The genome in `fasta`, on which every window reads what the store keeps."""
        genome = load_genome(fasta)
        places = zip(self.windows["chrom"], self.windows["start"], self.windows["end"], strict=True)
        for chrom, start, end in places:
            window = Interval(chrom, start, end)
            if (kept.fetch(window) != genome.fetch(window)).any():
                raise StoreError(
                    self.path,
                    f"{fasta} has other bases than its window {window}",
                    "the genome that its sequences are from",
                    "leave --genome out to use the sequences that it keeps",
                )
        return genome

    def with_roles(self, *, valid: Iterable[str | int], test: Iterable[str | int]) -> "Store":
        """The same store where the named folds validate and test, and all others train.

        Raises: ValueError for a fold that the store has not, or one in both roles.
        """
        chosen = {"valid": {str(fold) for fold in valid}, "test": {str(fold) for fold in test}}
        unknown = (chosen["valid"] | chosen["test"]) - set(self.header.folds)
        if unknown or chosen["valid"] & chosen["test"]:
            raise ValueError(
                f"valid {sorted(chosen['valid'])}, test {sorted(chosen['test'])}; "
                f"needed disjoint sets of the folds {', '.join(self.header.folds)}"
            )
        roles = {
            fold: next((split for split, folds in chosen.items() if fold in folds), "train")
            for fold in self.header.folds
        }
        store = copy.copy(self)
        store.__dict__.pop("windows", None)
        store.roles = roles
        return store

    def with_crop(self, crop_bins: int) -> "Store":
        """The same store where `crop_bins` bins at each end of a window have no targets: for a model that crops more.

        Raises: ValueError where that is less than the store's own crop, or leaves no bin.
        """
        stored = self.header.config
        if not stored.crop_bins <= crop_bins < stored.crop_bins + stored.n_bins / 2:
            raise ValueError(
                f"crop_bins {crop_bins}; needed {stored.crop_bins} or more, and less than "
                f"{stored.crop_bins + stored.n_bins / 2:g}, half of the bins"
            )
        store = copy.copy(self)
        store._more_crop = crop_bins - stored.crop_bins
        return store


def open_store(path: str | Path) -> Store:
    """The store in the folder `path`, its schema checked.

    Raises: StoreError where it is none, of another schema version, not whole, or was edited.
    """
    path = Path(path).absolute()
    if not path.is_dir():
        raise StoreError(path, "no such folder", "a store", "build one with `regact dataset build`")
    try:
        group = zarr.open_group(path, mode="r")
    except (FileNotFoundError, ValueError, KeyError) as error:
        raise StoreError(path, f"not a Zarr group ({error})", "a built store", REBUILD) from error
    header = read_header(path, group)
    check_arrays(path, group, header)
    store = Store(path, header, dict(header.roles))
    if digest(*store._table_columns().values()) != header.windows_sha256:
        raise StoreError(path, "its window table was edited", f"sha256 {header.windows_sha256[:12]}", REBUILD)
    if digest(store._whole_mask) != header.mask_sha256:  # Zarr takes a lost part of it for False
        raise StoreError(path, "its mask was edited or is damaged", f"sha256 {header.mask_sha256[:12]}", REBUILD)
    return store


def _reopen(path: Path, fingerprint: str, roles: dict[str, str], more_crop: int) -> Store:
    """What unpickling does: open without the checks that the sender made, but see that it is the same store."""
    header = read_header(path, zarr.open_group(path, mode="r"))
    if header.fingerprint != fingerprint:
        raise StoreError(path, "the store was replaced while it was in use", f"fingerprint {fingerprint[:12]}")
    return Store(path, header, roles, more_crop)
