"""Contigs: the stretches of chromosomes in which windows may lie, and a sentence on everything left out."""

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass

from regact.errors import ConfigError, DataError
from regact.genome.contig_names import is_mitochondrial
from regact.genome.interval import Interval
from regact.genome.reference import Genome
from regact.genome.regions import Regions

# Assemblies write 100 N for a gap of unknown length (the AGP standard): beyond it distances in bp mean nothing.
# Shorter runs are bases that could not be read; the mask deals with them.
MIN_GAP_BP = 100
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class ContigSet:
    """`contigs` in the genome's order; `left_out` has one sentence per kind of thing left out, for the user to read."""

    contigs: tuple[Interval, ...]
    left_out: tuple[str, ...]

    @property
    def total_bp(self) -> int:
        """Bases of all contigs."""
        return sum(contig.length for contig in self.contigs)


def find_contigs(
    genome: Genome,
    *,
    gaps: Regions | None = None,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    keep_mitochondria: bool = False,
    min_bp: int = 1,
    min_gap_bp: int = MIN_GAP_BP,
) -> ContigSet:
    """The genome's chromosomes, cut at their gaps.

    Args:
        gaps: More gaps than the runs of N, of any length.
        include: Names or shell patterns (`chr?`, `scaffold_*`) of the chromosomes to take; all where empty.
        exclude: Names or patterns to leave out; it has the last word.
        keep_mitochondria: Take mitochondrial contigs too. Naming one in `include`, without a pattern, does as well.
        min_bp: Shorter contigs are left out.
        min_gap_bp: Runs of N at least this long are gaps.

    Raises:
        ConfigError: Patterns that match no chromosome; all of them.
        DataError: Nothing is left.
    """
    if min_bp < 1 or min_gap_bp < 1:
        raise ValueError(f"min_bp {min_bp} and min_gap_bp {min_gap_bp} must be at least 1")
    _check_patterns(genome, include=include, exclude=exclude)
    chroms, left_out = _choose(genome, include, exclude, keep_mitochondria)
    all_gaps = _n_gaps(genome, chroms, min_gap_bp) | (gaps or Regions())
    pieces = [piece for chrom in chroms for piece in all_gaps.subtract_from(Interval(chrom, 0, genome.lengths[chrom]))]
    contigs = tuple(piece for piece in pieces if piece.length >= min_bp)
    left_out += _describe_gaps(genome, chroms, all_gaps)
    left_out += _describe_short(pieces, min_bp)
    if not contigs:
        raise DataError(genome.path, f"no contig is left ({'; '.join(left_out)})", f"one of at least {min_bp:,} bp")
    return ContigSet(contigs, tuple(left_out))


def _check_patterns(genome: Genome, **patterns: Sequence[str]) -> None:
    problems = [
        f"{option} '{pattern}' matches none of {_list(list(genome.lengths))}"
        for option, given in patterns.items()
        for pattern in given
        if not any(_matches(chrom, pattern) for chrom in genome.lengths)
    ]
    if problems:
        raise ConfigError(genome.path, problems)


def _choose(
    genome: Genome, include: Sequence[str], exclude: Sequence[str], keep_mitochondria: bool
) -> tuple[list[str], list[str]]:
    """Names of the chromosomes taken, and sentences on the others."""
    taken: list[str] = []
    not_included, excluded, mitochondria = [], [], []
    for chrom in genome.lengths:
        if include and not any(_matches(chrom, pattern) for pattern in include):
            not_included.append(chrom)
        elif any(_matches(chrom, pattern) for pattern in exclude):
            excluded.append(chrom)
        elif not (keep_mitochondria or chrom in include) and is_mitochondrial(chrom, genome.descriptions[chrom]):
            mitochondria.append(chrom)
        else:
            taken.append(chrom)
    sentences = []
    for chroms, why in (
        (not_included, "not included"),
        (excluded, "excluded"),
        (mitochondria, "mitochondria are left out unless asked for"),
    ):
        if chroms:
            total = sum(genome.lengths[chrom] for chrom in chroms)
            sentences.append(f"{_list(chroms)} ({total:,} bp): {why}")
    return taken, sentences


def _matches(chrom: str, pattern: str) -> bool:
    # Equality first: names such as HLA-A*01:01 hold pattern characters themselves.
    return chrom == pattern or fnmatch.fnmatchcase(chrom, pattern)


def _n_gaps(genome: Genome, chroms: list[str], min_gap_bp: int) -> Regions:
    runs = {chrom: genome.n_runs(chrom) for chrom in chroms}
    long = {chrom: rows[rows[:, 1] - rows[:, 0] >= min_gap_bp] for chrom, rows in runs.items()}
    return Regions({chrom: (rows[:, 0], rows[:, 1]) for chrom, rows in long.items()})


def _describe_gaps(genome: Genome, chroms: list[str], gaps: Regions) -> list[str]:
    parts = [part for chrom in chroms for part in gaps.intersection(Interval(chrom, 0, genome.lengths[chrom]))]
    if not parts:
        return []
    touched = list(dict.fromkeys(part.chrom for part in parts))
    return [f"{len(parts):,} gaps on {_list(touched)}: {sum(part.length for part in parts):,} bp"]


def _describe_short(pieces: list[Interval], min_bp: int) -> list[str]:
    short = [piece for piece in pieces if piece.length < min_bp]
    if not short:
        return []
    total = sum(piece.length for piece in short)
    return [f"{len(short):,} contigs shorter than {min_bp:,} bp: {total:,} bp"]


def _list(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown}, ... ({len(names)})"
