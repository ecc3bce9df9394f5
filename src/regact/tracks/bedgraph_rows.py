"""The rows of a bedGraph file, plain or gzip: contig, start, end (0-based, half-open), value."""

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float32, Int32

from regact.errors import DataError, FormatError, RegactError
from regact.genome.bed_text import is_header, open_text

ROWS_AT_ONCE = 1_000_000
INFINITE = "the value is infinite"
NEEDED = "bedGraph rows: contig, start, end (start < end), value"
SORT = "sort the file (sort -k1,1 -k2,2n) and merge overlapping rows (bedtools merge)"


@dataclass(frozen=True)
class Steps:
    """One contig's rows, sorted and without overlap: coverage is `values[i]` on [`starts[i]`, `ends[i]`)."""

    starts: Int32[np.ndarray, "row"]
    ends: Int32[np.ndarray, "row"]
    values: Float32[np.ndarray, "row"]


def read_bedgraph(path: Path) -> dict[str, Steps]:
    """Every contig's rows; a row whose value is NaN holds no data.

    Raises: FormatError naming the line that is no bedGraph row, is out of order, or overlaps the one before;
        DataError naming the line of an infinite value.
    """
    try:
        contigs = _read_fast(path)
    except (ValueError, OverflowError) as error:
        # The fast reader says little about where: the slow one names the line.
        raise _first_bad_line(path) or FormatError(path, f"cannot be read ({error})", NEEDED) from error
    except (EOFError, OSError) as error:
        raise FormatError(path, f"cannot be read to its end ({error})", "a whole file", "copy it again") from error
    if not contigs:
        raise FormatError(path, "holds no rows", NEEDED)
    if any(np.isnan(steps.values).any() for steps in contigs.values()):
        # A row without its fourth field looks like one of NaN.
        problem = _first_bad_line(path)
        if problem is not None:
            raise problem
    return {chrom: _known(steps) for chrom, steps in contigs.items()}


def row_problem(line: str) -> str | None:
    """What is wrong with one bedGraph row by itself; None if nothing is."""
    fields = line.split()
    if len(fields) != 4:
        return f"{len(fields)} fields"
    try:
        start, end, value = int(fields[1]), int(fields[2]), float(fields[3])
    except ValueError:
        return f"start, end and value are {' '.join(fields[1:])!r}, not numbers"
    if not 0 <= start < end < 2**31:
        return f"start {start}, end {end}"
    return INFINITE if math.isinf(_narrow(np.array(value))) else None


def _read_fast(path: Path) -> dict[str, Steps]:
    """The rows by contig; ValueError, without saying where, if any is wrong."""
    parts: dict[str, list[Steps]] = {}
    last_chrom, last_end = None, 0
    for chunk in _chunks(path):
        if chunk["more"].notna().any():
            raise ValueError("more than four fields")
        chroms = chunk["chrom"].to_numpy()
        edges = [0, *(np.flatnonzero(chroms[1:] != chroms[:-1]) + 1).tolist(), len(chroms)]
        for first, last in pairwise(edges):
            chrom = str(chroms[first])
            if chrom != last_chrom and chrom in parts:
                raise ValueError("a contig's rows are not together")
            steps, last_end = _checked_steps(chunk.iloc[first:last], last_end if chrom == last_chrom else 0)
            parts.setdefault(chrom, []).append(steps)
            last_chrom = chrom
    return {chrom: _joined(steps) for chrom, steps in parts.items()}


def _chunks(path: Path) -> Iterator[pd.DataFrame]:
    """The rows after the header, in pieces of bounded size, values in float64."""
    skipped = 0
    with open_text(path) as handle:
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
            names=["chrom", "start", "end", "value", "more"],
            dtype={"chrom": str, "start": np.int64, "end": np.int64, "value": np.float64, "more": str},
            skiprows=skipped,
            quoting=csv.QUOTE_NONE,
            keep_default_na=False,
            na_values={"value": ["nan", "NaN", "NAN"], "more": [""]},
            chunksize=ROWS_AT_ONCE,
        )


def _checked_steps(rows: pd.DataFrame, last_end: int) -> tuple[Steps, int]:
    """Rows of one contig, and where they end; ValueError where they are empty, overlap, or are infinite."""
    starts, ends = rows["start"].to_numpy(), rows["end"].to_numpy()
    values = _narrow(rows["value"].to_numpy())
    in_order = starts[0] >= last_end and (starts < ends).all() and (starts[1:] >= ends[:-1]).all()
    if not in_order or ends[-1] >= 2**31 or np.isinf(values).any():
        raise ValueError("rows are out of order, overlap, or hold infinite values")
    return Steps(starts.astype(np.int32), ends.astype(np.int32), values), int(ends[-1])


def _joined(parts: list[Steps]) -> Steps:
    return Steps(
        np.concatenate([part.starts for part in parts]),
        np.concatenate([part.ends for part in parts]),
        np.concatenate([part.values for part in parts]),
    )


def _known(steps: Steps) -> Steps:
    known = ~np.isnan(steps.values)
    return steps if known.all() else Steps(steps.starts[known], steps.ends[known], steps.values[known])


def _narrow(values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def _first_bad_line(path: Path) -> RegactError | None:
    """The error that names the first line which keeps the file from being read."""
    seen: set[str] = set()
    chrom, last_end, number = "", 0, 0
    try:
        with open_text(path) as handle:
            for number, line in enumerate(handle, start=1):
                if not line.strip() or (is_header(line) and not seen):
                    continue
                where = f"{path}, line {number}"
                problem = row_problem(line)
                if problem == INFINITE:
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
    except UnicodeDecodeError:
        return FormatError(f"{path}, line {number + 1}", "not text", NEEDED)
    return None
