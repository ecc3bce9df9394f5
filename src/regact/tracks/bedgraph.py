"""bedGraph files, plain or gzip, as signals."""

import csv
import gzip
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
from jaxtyping import Float32, Float64, Int32, Int64

from regact.errors import ContigError, DataError, FormatError
from regact.genome import ContigAlias
from regact.tracks.signals import Signal, count_bins

ROWS_AT_ONCE = 1_000_000
NEEDED = "bedGraph rows: contig, start, end (start < end), value"
SORT = "sort the file (sort -k1,1 -k2,2n) and merge overlapping rows (bedtools merge)"


@dataclass(frozen=True)
class Steps:
    """One contig's rows, sorted and without overlap: coverage is `values[i]` on [`starts[i]`, `ends[i]`)."""

    starts: Int32[np.ndarray, "row"]
    ends: Int32[np.ndarray, "row"]
    values: Float32[np.ndarray, "row"]


class BedGraphSignal(Signal):
    """A bedGraph file, held in memory as sorted rows (12 bytes each) from the first question on."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        self._steps: dict[str, Steps] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "_steps": None}

    @property
    def lengths(self) -> Mapping[str, int | None]:
        """The contigs that hold data; a bedGraph does not say how long they are."""
        return dict.fromkeys(self._read())

    def contig_names(self, genome_lengths: Mapping[str, int], alias: ContigAlias | None = None) -> dict[str, str]:
        """As `Signal.contig_names`; ContigError as well where data lies beyond a contig's end."""
        names = super().contig_names(genome_lengths, alias)
        for ours, theirs in names.items():
            end, length = int(self._read()[theirs].ends[-1]), genome_lengths[ours]
            if end > length:
                found, needed = f"data on {theirs} up to base {end:,}", f"at most the genome's {length:,} bp of {ours}"
                raise ContigError(self.path, found, needed, "use the file of the genome's own assembly")
        return names

    def bin_sums(self, chrom: str, start: int, end: int, bin_bp: int) -> Float64[np.ndarray, "bin"]:
        """As `Signal.bin_sums`."""
        bins, bases, values = self._pieces(chrom, start, end, bin_bp)
        return np.bincount(bins, weights=bases * values, minlength=count_bins(start, end, bin_bp))

    def bin_max(self, chrom: str, start: int, end: int, bin_bp: int) -> Float64[np.ndarray, "bin"]:
        """As `Signal.bin_max`."""
        bins, bases, values = self._pieces(chrom, start, end, bin_bp)
        count = count_bins(start, end, bin_bp)
        highest = np.full(count, -np.inf)
        np.maximum.at(highest, bins, values)
        partly_covered = np.bincount(bins, weights=bases, minlength=count) < bin_bp
        return np.where(partly_covered, np.maximum(highest, 0.0), highest)

    def base_values(self, chrom: str, start: int, end: int) -> Float32[np.ndarray, "base"]:
        """As `Signal.base_values`."""
        bins, _, values = self._pieces(chrom, start, end, 1)
        bases = np.full(end - start, np.nan, dtype=np.float32)
        bases[bins] = values
        return bases

    def close(self) -> None:
        """As `Signal.close`."""
        self._steps = None

    def _pieces(
        self, chrom: str, start: int, end: int, bin_bp: int
    ) -> tuple[Int64[np.ndarray, "piece"], Int64[np.ndarray, "piece"], Float64[np.ndarray, "piece"]]:
        """The rows in [start, end), cut at the bins' edges: bin, number of bases and value of each piece."""
        steps = self._read().get(chrom)
        if steps is None:
            raise ValueError(f"{self.path} has no contig {chrom!r}")
        count_bins(start, end, bin_bp)
        rows = slice(np.searchsorted(steps.ends, start, side="right"), np.searchsorted(steps.starts, end))
        starts = np.maximum(steps.starts[rows].astype(np.int64), start) - start
        ends = np.minimum(steps.ends[rows].astype(np.int64), end) - start
        first, last = starts // bin_bp, (ends - 1) // bin_bp
        pieces = last - first + 1
        row = np.repeat(np.arange(len(starts)), pieces)
        nth = np.arange(len(row)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        bins = first[row] + nth
        bases = np.minimum(ends[row], (bins + 1) * bin_bp) - np.maximum(starts[row], bins * bin_bp)
        return bins, bases, steps.values[rows].astype(np.float64)[row]

    def _read(self) -> dict[str, Steps]:
        if self._steps is None:
            self._steps = read_bedgraph(self.path)
        return self._steps


def read_bedgraph(path: Path) -> dict[str, Steps]:
    """Every contig's rows; a row whose value is NaN holds no data and is left out.

    Raises: FormatError naming the line that is no bedGraph row, is out of order, or overlaps the one before;
        DataError naming the line of an infinite value.
    """
    parts: dict[str, list[pd.DataFrame]] = {}
    last_end = 0
    last_chrom = None
    try:
        for chunk in _chunks(path):
            chrom = chunk["chrom"].to_numpy()
            edges = np.flatnonzero(chrom[1:] != chrom[:-1]) + 1
            for run in np.split(np.arange(len(chunk)), edges):
                rows = chunk.iloc[run[0] : run[-1] + 1]
                name = str(chrom[run[0]])
                if name != last_chrom:
                    last_end = 0
                if (name != last_chrom and name in parts) or not _in_order(rows, last_end):
                    raise ValueError("rows are out of order")
                parts.setdefault(name, []).append(rows[["start", "end", "value"]])
                last_chrom, last_end = name, int(rows["end"].iloc[-1])
    except (ValueError, OverflowError) as error:
        # The fast reader says little about where: the slow search names the line.
        raise _first_bad_line(path) or FormatError(path, f"cannot be read ({error})", NEEDED) from error
    except (EOFError, OSError) as error:
        raise FormatError(path, f"cannot be read to its end ({error})", "a whole file", "copy it again") from error
    contigs = {name: _steps(pd.concat(rows, ignore_index=True)) for name, rows in parts.items()}
    if not contigs:
        raise FormatError(path, "holds no rows", NEEDED)
    return contigs


@contextmanager
def open_text(path: Path) -> Iterator[IO[str]]:
    """The text of a plain or gzip file, told apart by its first bytes."""
    with path.open("rb") as start:
        is_gzip = start.read(2) == b"\x1f\x8b"
    with gzip.open(path, "rt", encoding="utf-8") if is_gzip else path.open(encoding="utf-8") as handle:
        yield handle


def is_header(line: str) -> bool:
    """Whether a bedGraph line is a comment, blank, or for a genome browser."""
    return not line.strip() or line.startswith(("#", "track", "browser"))


def row_problem(line: str) -> str | None:
    """What is wrong with one bedGraph row by itself; None if nothing is."""
    fields = line.split()
    if len(fields) != 4:
        return f"{len(fields)} fields"
    try:
        start, end, value = int(fields[1]), int(fields[2]), float(fields[3])
    except ValueError:
        return f"start, end and value are {' '.join(fields[1:])!r}, which are no numbers"
    if not 0 <= start < end < 2**31:
        return f"start {start}, end {end}"
    return "the value is infinite" if math.isinf(np.float32(value)) else None


def _chunks(path: Path) -> Iterator[pd.DataFrame]:
    """The rows in pieces of bounded size, values still in float64."""
    with open_text(path) as handle:
        skipped = 0
        for line in handle:
            if not is_header(line):
                break
            skipped += 1
        else:
            return
    with open_text(path) as handle:
        yield from pd.read_csv(
            handle,
            sep=r"\s+",
            header=None,
            names=["chrom", "start", "end", "value"],
            index_col=False,
            dtype={"chrom": str, "start": np.int64, "end": np.int64, "value": np.float64},
            skiprows=skipped,
            comment="#",
            quoting=csv.QUOTE_NONE,
            keep_default_na=False,
            na_values={"value": ["nan", "NaN", "NA"]},
            float_precision="round_trip",
            chunksize=ROWS_AT_ONCE,
        )


def _in_order(rows: pd.DataFrame, last_end: int) -> bool:
    starts, ends = rows["start"].to_numpy(), rows["end"].to_numpy()
    with np.errstate(over="ignore"):
        infinite = np.isinf(rows["value"].to_numpy().astype(np.float32)).any()
    return (
        bool(starts[0] >= last_end and (starts < ends).all() and (starts[1:] >= ends[:-1]).all() and ends[-1] < 2**31)
        and not infinite
    )


def _steps(rows: pd.DataFrame) -> Steps:
    known = rows[rows["value"].notna()] if len(rows) else rows
    return Steps(
        known["start"].to_numpy().astype(np.int32),
        known["end"].to_numpy().astype(np.int32),
        known["value"].to_numpy().astype(np.float32),
    )


def _first_bad_line(path: Path) -> FormatError | DataError | None:
    """The error that names the first line which keeps the file from being read."""
    seen: set[str] = set()
    chrom, last_end = "", 0
    with open_text(path) as handle:
        for number, line in enumerate(handle, start=1):
            if (is_header(line) and not seen) or line.startswith("#") or not line.strip():
                continue
            where = f"{path}, line {number}"
            problem = row_problem(line)
            if problem == "the value is infinite":
                return DataError(where, problem, "finite values", "make the file again, or clip it")
            if problem is not None:
                return FormatError(where, problem, NEEDED)
            name, start, end, _ = line.split()
            if name != chrom and name in seen:
                return FormatError(where, f"{name} comes a second time", "each contig's rows together", SORT)
            if name == chrom and int(start) < last_end:
                found = f"{name} {start}-{end} starts before {last_end}, where the row above ends"
                return FormatError(where, found, "rows sorted by start that do not overlap", SORT)
            seen.add(name)
            chrom, last_end = name, int(end)
    return None
