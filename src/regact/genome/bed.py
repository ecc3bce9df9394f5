"""BED files, plain or gzip, read against a genome: every bad row is named, all at once."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from regact.genome.contig_names import ContigAlias
from regact.genome.interval import Interval
from regact.genome.placed_rows import beyond_end, genome_names, numbered_rows, refuse_bad_rows
from regact.genome.regions import Regions

_NEEDED = "a BED file, plain or gzip"


@dataclass(frozen=True, slots=True)
class BedRow:
    """One row of a BED file; `name` is "" and `score` None where the file has no such column, `strand` is +, - or ."""

    interval: Interval
    name: str = ""
    score: float | None = None
    strand: str = "."


def read_bed(path: Path | str, *, genome_lengths: Mapping[str, int], alias: ContigAlias | None = None) -> Regions:
    """The bases that a BED file covers, merged; takes 24 bytes a row, as files of mappability have millions.

    Rows that start within their contig and end beyond it are cut at its end: public blacklists have such rows.
    Raises as `read_bed_rows`.
    """
    path = Path(path)
    columns: dict[str, array[int]] = {}  # contig -> line, start, end of one row after the other
    problems: list[str] = []
    for number, line in numbered_rows(path, _NEEDED):
        try:
            chrom, start, end, _ = parse_bed_row(line)
            columns.setdefault(chrom, array("q")).extend((number, start, end))
        except ValueError as error:
            problems.append(f"line {number}: {error}")
    refuse_bad_rows(path, problems)
    bounds: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for other, chrom in genome_names(path, columns, genome_lengths, alias).items():
        numbers, starts, ends = np.frombuffer(columns[other], np.int64).reshape(-1, 3).T
        length = genome_lengths[chrom]
        beyond = np.flatnonzero((ends > length) & (starts >= length))
        problems += [beyond_end(numbers[row], starts[row], ends[row], chrom, length) for row in beyond]
        bounds[chrom] = starts, np.minimum(ends, length)
    refuse_bad_rows(path, problems)
    return Regions(bounds)


def read_bed_rows(
    path: Path | str, *, genome_lengths: Mapping[str, int], alias: ContigAlias | None = None, all_known: bool = False
) -> list[BedRow]:
    """The rows of a BED file (3 columns or more, plain or gzip) in file order, under the genome's contig names.

    Rows on contigs that the genome lacks are left out, unless all are; with `all_known` a single one is an error.

    Raises:
        FormatError: The file cannot be read.
        ConfigError: Rows that are no BED, reach beyond their contig, or may not be left out; all of them up to ten.
        ContigError: No contig name matches the genome's.
    """
    path = Path(path)
    rows: list[tuple[int, str, int, int, list[str]]] = []
    problems: list[str] = []
    for number, line in numbered_rows(path, _NEEDED):
        try:
            rows.append((number, *parse_bed_row(line)))
        except ValueError as error:
            problems.append(f"line {number}: {error}")
    refuse_bad_rows(path, problems)
    names = genome_names(path, (other for _, other, *_ in rows), genome_lengths, alias)
    placed: list[BedRow] = []
    for number, other, start, end, rest in rows:
        if (chrom := names.get(other)) is None:
            if all_known:
                problems.append(f"line {number}: the genome has no contig '{other}'; remove the row or mend the name")
        elif end > genome_lengths[chrom]:
            problems.append(beyond_end(number, start, end, chrom, genome_lengths[chrom]))
        else:
            placed.append(_bed_row(Interval(chrom, start, end), rest))
    refuse_bad_rows(path, problems)
    return placed


def parse_bed_row(line: str) -> tuple[str, int, int, list[str]]:
    """Contig, start, end and the columns after them.

    Raises: ValueError saying what is wrong with the row.
    """
    fields = line.split("\t") if "\t" in line else line.split()
    if len(fields) < 3:
        raise ValueError(f"{len(fields)} columns, needed chrom, start, end with tabs between")
    chrom, start_text, end_text, *rest = fields
    if not (start_text.isdecimal() and end_text.isdecimal()):
        raise ValueError(f"start '{start_text}' and end '{end_text}' are not both whole numbers >= 0")
    start, end = int(start_text), int(end_text)
    if end < start:
        raise ValueError(f"end {end:,} lies before start {start:,}")
    return chrom, start, end, rest


def _bed_row(interval: Interval, rest: list[str]) -> BedRow:
    name, score, strand = [*rest, "", "", ""][:3]
    return BedRow(interval, name, _parse_score(score), strand if strand in ("+", "-") else ".")


def _parse_score(text: str) -> float | None:
    if text in ("", "."):
        return None
    try:
        return float(text)
    except ValueError:
        return None  # many files put other things in column 5
