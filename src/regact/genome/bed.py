"""BED files, plain or gzip, read against a genome: every bad row is named, all at once."""

import gzip
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from regact.errors import ConfigError, FormatError
from regact.genome.contig_names import ContigAlias, match_contigs
from regact.genome.interval import Interval
from regact.genome.regions import Regions

_GZIP_MAGIC = b"\x1f\x8b"
_PASSED_OVER = ("#", "track", "browser")
_SHOWN_PROBLEMS = 10


@dataclass(frozen=True, slots=True)
class BedRow:
    """One row of a BED file; `name` is "" and `score` None where the file has no such column, `strand` is +, - or ."""

    interval: Interval
    name: str = ""
    score: float | None = None
    strand: str = "."


def read_bed(path: Path | str, *, genome_lengths: Mapping[str, int], alias: ContigAlias | None = None) -> Regions:
    """The bases that a BED file covers, merged.

    Rows that start within their contig and end beyond it are cut at its end: public blacklists have such rows.
    Raises as `read_bed_rows`.
    """
    rows = read_bed_rows(path, genome_lengths=genome_lengths, alias=alias, cut_ends=True)
    return Regions.from_intervals(row.interval for row in rows)


def read_bed_rows(
    path: Path | str,
    *,
    genome_lengths: Mapping[str, int],
    alias: ContigAlias | None = None,
    cut_ends: bool = False,
) -> list[BedRow]:
    """The rows of a BED file (3 columns or more, plain or gzip) in file order, under the genome's contig names.

    Rows on contigs that the genome lacks are left out, unless all are.

    Args:
        cut_ends: Cut rows at their contig's end, rather than refuse them, where they start before it.

    Raises:
        FormatError: The file cannot be read.
        ConfigError: Rows that are no BED, or lie beyond their contig; all of them up to ten.
        ContigError: No contig name matches the genome's.
    """
    path = Path(path)
    rows: list[tuple[int, BedRow]] = []
    problems: list[str] = []
    for number, line in _lines(path):
        try:
            rows.append((number, _parse_row(line)))
        except ValueError as error:
            problems.append(f"line {number}: {error}")
    _refuse(path, problems)
    names = _genome_names(path, [row for _, row in rows], genome_lengths, alias)
    placed: list[BedRow] = []
    for number, row in rows:
        chrom = names.get(row.interval.chrom)
        if chrom is None:
            continue
        start, end, length = row.interval.start, row.interval.end, genome_lengths[chrom]
        if end <= length:
            placed.append(_move(row, Interval(chrom, start, end)))
        elif cut_ends and start < length:
            placed.append(_move(row, Interval(chrom, start, length)))
        else:
            problems.append(f"line {number}: {start:,}-{end:,} lies beyond the end of {chrom}, {length:,} bp")
    _refuse(path, problems)
    return placed


def _refuse(path: Path, problems: list[str]) -> None:
    if problems:
        more = [f"and {len(problems) - _SHOWN_PROBLEMS:,} more"] if len(problems) > _SHOWN_PROBLEMS else []
        raise ConfigError(path, problems[:_SHOWN_PROBLEMS] + more)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines (from 1) that hold a row."""
    try:
        with path.open("rb") as raw:
            compressed = raw.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        opener = gzip.open if compressed else open
        with opener(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip() and not line.startswith(_PASSED_OVER):
                    yield number, line.rstrip("\r\n")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise FormatError(path, f"not readable ({error})", "a BED file, plain or gzip") from error


def _parse_row(line: str) -> BedRow:
    """Raises: ValueError saying what is wrong with the row."""
    fields = line.split("\t") if "\t" in line else line.split()
    if len(fields) < 3:
        raise ValueError(f"{len(fields)} columns, needed chrom, start, end with tabs between")
    chrom, start_text, end_text, *rest = (field.strip() for field in fields)
    if not (start_text.isdecimal() and end_text.isdecimal()):
        raise ValueError(f"start '{start_text}' and end '{end_text}' are not both whole numbers >= 0")
    start, end = int(start_text), int(end_text)
    if end < start:
        raise ValueError(f"end {end:,} lies before start {start:,}")
    name, score, strand, *_ = [*rest, "", "", ""][:3] if len(rest) < 3 else rest
    return BedRow(Interval(chrom, start, end), name, _parse_score(score), strand if strand in ("+", "-") else ".")


def _parse_score(text: str) -> float | None:
    if text in ("", "."):
        return None
    try:
        return float(text)
    except ValueError:
        return None  # many files put other things in column 5


def _genome_names(
    path: Path, rows: list[BedRow], genome_lengths: Mapping[str, int], alias: ContigAlias | None
) -> dict[str, str]:
    """The file's contig name -> the genome's."""
    if not rows:
        return {}
    seen = dict.fromkeys(row.interval.chrom for row in rows)
    return {other: name for name, other in match_contigs(genome_lengths, seen, where=path, alias=alias).items()}


def _move(row: BedRow, interval: Interval) -> BedRow:
    return row if row.interval == interval else replace(row, interval=interval)
