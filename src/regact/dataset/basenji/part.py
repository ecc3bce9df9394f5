"""One part of an import, an independent task: its windows checked, written to the store, and summed up in one file."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float16, Int64

from regact.dataset.basenji.values import ValueCheck
from regact.dataset.basenji.window import SourceWindow
from regact.dataset.config import DatasetConfig
from regact.dataset.schema import digest
from regact.dataset.store_writer import write_targets
from regact.dataset.track_sums import STATISTICS, merge_sums, sums_of_window
from regact.engine import masked_crc32c, whole_file
from regact.errors import DataError, FormatError
from regact.genome import Genome, Interval, KnownParts, decode
from regact.tracks.transform import FLOAT16_MAX


@dataclass(frozen=True)
class PartTask:
    """A part of the source, on its way into the store.

    Attributes:
        name: Says which.
        read: Gives its windows in the source's order.
        rows: The store's row of each.
        places: Where each lies, the model's input.
        genome: To compare the bases with, if there is one.
        sequences: Where the bases are laid down otherwise.
        check: What is done about inf and NaN.
        limits: Each track's hard clip, inf for none.
        store: Folder of the unfinished store.
        config: Its settings.
        path: The file to write when all is done.
    """

    name: str
    read: Callable[[], Iterable[SourceWindow]]
    rows: Int64[np.ndarray, " window"]
    places: tuple[Interval, ...]
    genome: Genome | None
    sequences: KnownParts
    check: ValueCheck
    limits: Float16[np.ndarray, " track"]
    store: Path
    config: DatasetConfig
    path: Path

    def __str__(self) -> str:
        return self.name

    def is_done(self) -> bool:
        """Whether its file is there, which comes last; without clipped values, for who wants to stop at them."""
        return self.path.is_file() and (self.check.clip or not PartResult.read(self.path).not_finite.any())


@dataclass(frozen=True)
class PartResult:
    """What the store must know of a part that is done.

    Attributes:
        rows: Rows of the store.
        mask: Which bins of each count.
        digests: sha256 of each window's values.
        checksums: CRC of each window's bases.
        sums: Sums per track (`track_sums`).
        not_finite: Values per track that were inf or NaN.
        rounded: How many values have fewer digits than in the source.
    """

    rows: np.ndarray
    mask: np.ndarray
    digests: np.ndarray
    checksums: np.ndarray
    sums: np.ndarray
    not_finite: np.ndarray
    rounded: np.ndarray

    def write(self, path: Path) -> None:
        """Write to `path`, whole or not at all."""
        with whole_file(path) as temporary, temporary.open("wb") as out:
            np.savez(out, **vars(self))

    @classmethod
    def read(cls, path: Path) -> "PartResult":
        """What `write` left."""
        with np.load(path) as arrays:
            return cls(**arrays)


def import_part(task: PartTask) -> None:
    """Write the windows of a part to the store, one at a time.

    Raises: FormatError, DataError naming file and record where a window cannot be read, is one too many or too few,
        has other bases than the genome, or values that are inf or NaN.
    """
    n_tracks = len(task.limits)
    mask = np.ones((len(task.rows), task.config.n_bins), bool)
    sums, not_finite = np.zeros((n_tracks, len(STATISTICS))), np.zeros(n_tracks, np.int64)
    rounded = 0
    digests: list[str] = []
    checksums: list[int] = []
    for window in task.read():
        number = len(digests)
        if number == len(task.rows):
            raise FormatError(window.where, "a window more than its coordinates say", f"{number:,} in {task.name}")
        place = task.places[number]
        _place_bases(task, window, place)
        checksums.append(masked_crc32c(window.codes.tobytes()))
        targets, found = task.check.clean(window, place)
        if window.unmappable is not None:
            mask[number] = ~window.unmappable
        write_targets(task.store, int(task.rows[number]), targets[None], task.config)
        digests.append(digest(targets))
        sums = merge_sums(sums, sums_of_window(targets, mask[number], task.limits))
        not_finite += found
        rounded += window.rounded
    if len(digests) < len(task.rows):
        found_text = f"{len(digests):,} windows"
        raise FormatError(task.name, found_text, f"{len(task.rows):,}, as its coordinates say", "download it again")
    PartResult(
        rows=task.rows,
        mask=mask,
        digests=np.array(digests, dtype="U64"),
        checksums=np.array(checksums, np.uint32),
        sums=sums,
        not_finite=not_finite,
        rounded=np.array(rounded),
    ).write(task.path)


def _place_bases(task: PartTask, window: SourceWindow, place: Interval) -> None:
    """Compare a window's bases with the genome's, or lay them down."""
    if task.genome is None:
        try:
            task.sequences.put(place, window.codes)
        except ValueError as error:
            raise DataError(window.where, f"{error}, at {place}", "N there") from None
        return
    bases = task.genome.fetch(place)
    differing = np.flatnonzero(bases != window.codes)
    if differing.size:
        first = int(differing[0])
        found, needed = (decode(codes[first : first + 1]) for codes in (window.codes, bases))
        raise DataError(
            f"{window.where} ({place})",
            f"{found} at {place.chrom}:{place.start + first + 1:,}, and {differing.size - 1:,} more differences",
            f"{needed}, as {task.genome.path} has it",
            "give the FASTA of the data's assembly, or leave --genome out to keep the sequences as they are",
        )


def limits_of(clips: Iterable[float | None]) -> Float16[np.ndarray, " track"]:
    """Hard clips as float16, inf for none."""
    return np.array([np.inf if clip is None else min(clip, FLOAT16_MAX) for clip in clips], np.float16)
