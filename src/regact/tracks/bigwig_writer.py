"""bigWig files written whole or not at all, through pyBigWig."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyBigWig
from jaxtyping import Float, Float32, Int, Int64

from regact.engine import check_space, whole_file

# libBigWig corrupts its own memory when the disk fills up under it, so room is asked for before each piece. An interval
# takes 12 bytes before compression, and every zoom level, written on closing, less than half of the level below.
BYTES_PER_VALUE = 64
MARGIN_BYTES = 2**24
# pyBigWig wants the contig's name beside every interval: with pieces of this size that takes some megabytes.
_INTERVALS_AT_ONCE = 2**16

DenseChunk = tuple[str, int, Float[np.ndarray, "step"]]
IntervalChunk = tuple[str, Int[np.ndarray, "row"], Int[np.ndarray, "row"], Float[np.ndarray, "row"]]


def write_bigwig(path: str | Path, lengths: Mapping[str, int], chunks: Iterable[DenseChunk], *, span: int) -> None:
    """Write one value per `span` bases: chunks (contig, start, values), whose values cover [start, start + n * span).

    Chunks come in the order of `lengths` and of their starts, and do not overlap; what no chunk covers has no data, and
    NaN is no data as well. A contig's last value may reach beyond its end, where it is cut off.

    Args:
        path: Written under a temporary name, then renamed.
        lengths: Every contig of the genome, in the file's order.
        chunks: Any iterable; one chunk at a time is held.
        span: Bases a value, > 0.

    Raises: ValueError for a chunk out of order, beyond its contig, or with values that are infinite in float32.
    """
    if span < 1:
        raise ValueError(f"span is {span}; needed >= 1")
    with _writer(path, lengths) as writer:
        for chrom, start, values in chunks:
            writer.add_steps(chrom, int(start), np.asarray(values), span)


def write_bigwig_intervals(path: str | Path, lengths: Mapping[str, int], chunks: Iterable[IntervalChunk]) -> None:
    """Write values on intervals: chunks (contig, starts, ends, values), 0-based half-open; otherwise as `write_bigwig`.

    Raises: ValueError as `write_bigwig`, and for intervals that overlap or are empty.
    """
    with _writer(path, lengths) as writer:
        for chrom, starts, ends, values in chunks:
            writer.add_intervals(chrom, np.asarray(starts), np.asarray(ends), np.asarray(values))


def covered_intervals(
    bases: Float[np.ndarray, "base"] | Int[np.ndarray, "base"], *, start: int = 0
) -> tuple[Int64[np.ndarray, "row"], Int64[np.ndarray, "row"], Float32[np.ndarray, "row"]]:
    """Starts, ends and values of the runs of equal values other than 0 and NaN: per-base coverage as sparse intervals.

    `start` is the position of the first base.
    """
    values = np.asarray(bases, dtype=np.float32)
    edges = np.flatnonzero(values[1:] != values[:-1]) + 1
    starts = np.concatenate([[0], edges]).astype(np.int64)[: len(values)]
    ends = np.append(starts[1:], len(values))[: len(starts)]
    kept = ~np.isnan(values[starts]) & (values[starts] != 0)
    return starts[kept] + start, ends[kept] + start, values[starts[kept]]


class _BigWigWriter:
    """Checks order, ends and values of what goes into an open pyBigWig file, which would take much of it in silence."""

    def __init__(self, path: Path, file: Any, lengths: Mapping[str, int]) -> None:
        self.path = path
        self.file = file
        self.lengths = lengths
        self.rank = {chrom: rank for rank, chrom in enumerate(lengths)}
        self.chrom = ""
        self.end = 0
        self.values = 0

    def add_steps(self, chrom: str, start: int, values: Float[np.ndarray, "step"], span: int) -> None:
        if not len(values):
            return
        self._check_contig(chrom)
        end = start + span * len(values)
        cut_end = min(end, self.lengths[chrom])
        if end - cut_end >= span:
            raise ValueError(f"values on {chrom} reach to {end}, the contig to {cut_end}")
        self._advance(chrom, start, cut_end)
        narrow = _as_float32(values, chrom, start)
        self._take_room(int(np.isfinite(narrow).sum()))
        known = np.flatnonzero(np.isfinite(narrow[: len(narrow) - (end > cut_end)]))
        # Fixed steps take a third of the room of intervals.
        for run in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1) if len(known) else []:
            self.file.addEntries(chrom, start + int(run[0]) * span, values=narrow[run], span=span, step=span)
        if end > cut_end and np.isfinite(narrow[-1]):
            self.file.addEntries([chrom], [end - span], ends=[cut_end], values=[float(narrow[-1])])

    def add_intervals(
        self,
        chrom: str,
        starts: Int[np.ndarray, "row"],
        ends: Int[np.ndarray, "row"],
        values: Float[np.ndarray, "row"],
    ) -> None:
        if not len(starts):
            return
        if (starts >= ends).any() or (starts[1:] < ends[:-1]).any():
            raise ValueError(f"intervals on {chrom} are empty, overlap or are out of order")
        self._check_contig(chrom)
        self._advance(chrom, int(starts[0]), int(ends[-1]))
        narrow = _as_float32(values, chrom, int(starts[0]))
        known = np.flatnonzero(np.isfinite(narrow))
        self._take_room(len(known))
        for first in range(0, len(known), _INTERVALS_AT_ONCE):
            rows = known[first : first + _INTERVALS_AT_ONCE]
            begin, end = starts[rows].astype(np.int64), ends[rows].astype(np.int64)
            self.file.addEntries(np.full(len(rows), chrom), begin, ends=end, values=narrow[rows])

    def finish(self) -> None:
        """Make a file without any value readable: one without an index is none to other programs."""
        if not self.values:
            chrom = next(iter(self.lengths))
            self.file.addEntries([chrom], [0], ends=[self.lengths[chrom]], values=[0.0])

    def _take_room(self, values: int) -> None:
        self.values += values
        check_space(self.path, MARGIN_BYTES + BYTES_PER_VALUE * values, "the next piece of this bigWig")

    def _check_contig(self, chrom: str) -> None:
        if chrom not in self.lengths:
            raise ValueError(f"the file has no contig {chrom!r}")

    def _advance(self, chrom: str, start: int, end: int) -> None:
        new_contig = chrom != self.chrom
        if new_contig and self.chrom and self.rank[chrom] < self.rank[self.chrom]:
            raise ValueError(f"{chrom} comes after {self.chrom}; chunks must come in the order of the contigs")
        if start < (0 if new_contig else self.end) or end > self.lengths[chrom]:
            raise ValueError(
                f"{chrom} {start}-{end} does not lie between {0 if new_contig else self.end}, where the chunk before"
                f" ends, and the contig's end {self.lengths[chrom]}"
            )
        self.chrom, self.end = chrom, end


def _as_float32(values: np.ndarray, chrom: str, start: int) -> Float32[np.ndarray, "row"]:
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float32)
    if np.isinf(narrow).any():
        raise ValueError(f"values on {chrom} from {start} on are infinite in float32")
    return narrow


@contextmanager
def _writer(path: str | Path, lengths: Mapping[str, int]) -> Iterator[_BigWigWriter]:
    if not lengths:
        raise ValueError("a bigWig needs at least one contig")
    with whole_file(path) as temporary:
        check_space(path, MARGIN_BYTES, "a bigWig")
        file = pyBigWig.open(str(temporary), "w")
        try:
            file.addHeader([(chrom, int(length)) for chrom, length in lengths.items()])
            writer = _BigWigWriter(Path(path), file, lengths)
            yield writer
            writer.finish()
        finally:
            file.close()
