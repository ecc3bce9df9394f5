"""What text files of rows on a genome share (BED, GTF, GFF3): numbered lines, contig names, all bad rows at once."""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from regact.errors import ConfigError, FormatError
from regact.genome.bed_text import is_header, open_text
from regact.genome.contig_names import ContigAlias, match_contigs

_SHOWN_PROBLEMS = 10


def numbered_rows(path: Path, needed: str) -> Iterator[tuple[int, str]]:
    """Lines that hold a row, with their numbers from 1; `needed` says in an error what the file should be.

    Raises: FormatError where the file cannot be read as text.
    """
    try:
        with open_text(path) as lines:
            for number, line in enumerate(lines, start=1):
                if not is_header(line):
                    yield number, line.rstrip("\r\n")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise FormatError(path, f"not readable ({error})", needed) from error


def refuse_bad_rows(path: Path, problems: Sequence[str]) -> None:
    """Raise ConfigError where there is a problem; it shows ten and counts the others."""
    if problems:
        more = [f"and {len(problems) - _SHOWN_PROBLEMS:,} more"] if len(problems) > _SHOWN_PROBLEMS else []
        raise ConfigError(path, [*problems[:_SHOWN_PROBLEMS], *more])


def genome_names(
    path: Path, other_names: Iterable[str], genome_lengths: Mapping[str, int], alias: ContigAlias | None
) -> dict[str, str]:
    """The file's contig name -> the genome's; empty for a file without rows. Raises as `match_contigs`."""
    seen = dict.fromkeys(other_names)
    if not seen:
        return {}
    return {other: name for name, other in match_contigs(genome_lengths, seen, where=path, alias=alias).items()}


def beyond_end(number: int, start: int, end: int, chrom: str, length: int) -> str:
    """The problem of a row that runs over the end of its contig."""
    return f"line {number}: {start:,}-{end:,} lies beyond the end of {chrom}, {length:,} bp"
