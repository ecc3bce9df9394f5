"""From the split settings to stretches of the genome, each with its fold, and the role that each fold plays."""

import difflib
import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from regact.dataset.config import (
    SPLITS,
    DatasetConfig,
    SplitAsImported,
    SplitByChromosomes,
    SplitByFolds,
    SplitByFraction,
    SplitByRegions,
)
from regact.dataset.folds import Stretch, assign_folds, break_contig, find_overlaps, join_pieces, keep_apart
from regact.errors import ConfigError, DataError
from regact.genome import ContigAlias, Genome, Interval, find_contigs, read_bed, read_bed_rows

_SHOWN = 5


@dataclass(frozen=True)
class Division:
    """A genome divided between folds.

    Attributes:
        stretches: In the genome's order; those of different folds are at least twice `max_shift_bp` apart.
        folds: Names of the folds. They are the splits themselves, except with k folds: "0" to "k - 1".
        roles: The split of each fold.
        wanted: The splits that the settings ask for; an empty one is an error.
        left_out: One sentence for each kind of thing that no stretch covers.
    """

    stretches: tuple[Stretch, ...]
    folds: tuple[str, ...]
    roles: dict[str, str]
    wanted: tuple[str, ...]
    left_out: tuple[str, ...]


def divide_genome(genome: Genome, config: DatasetConfig, alias: ContigAlias | None = None) -> Division:
    """Who trains, validates and tests where.

    Raises:
        DataError: No contig is as long as a window; fewer pieces than folds; regions of different splits overlap.
        ConfigError: Patterns or rows of the region file that fit nothing.
    """
    if isinstance(config.split, SplitByRegions):
        return _by_regions(genome, config, config.split, alias)
    if isinstance(config.split, SplitAsImported):
        raise ConfigError("dataset.split", ["by: imported is of data that were imported; say how to split a genome"])
    gaps = read_bed(config.gaps, genome_lengths=genome.lengths, alias=alias) if config.gaps else None
    found = find_contigs(
        genome,
        gaps=gaps,
        include=config.include,
        exclude=config.exclude,
        keep_mitochondria=config.keep_mitochondria,
        min_gap_bp=config.min_gap_bp,
    )
    contigs = _long_enough(found.contigs, config, genome)
    if isinstance(config.split, SplitByChromosomes):
        stretches, wanted = _by_chromosomes(contigs, config.split, genome)
        roles = {split: split for split in SPLITS}
    else:
        shares, roles = _shares(config.split)
        stretches = _by_shares(contigs, shares, config, genome)
        wanted = tuple(split for split in SPLITS if split in {roles[fold] for fold in shares})
    short = len(found.contigs) - len(contigs)
    left_out = [*found.left_out, *([f"{short:,} contigs shorter than a window"] if short else [])]
    apart = keep_apart(stretches, 2 * config.max_shift_bp)
    return Division(tuple(apart), tuple(roles), roles, wanted, tuple(left_out))


def _long_enough(contigs: Sequence[Interval], config: DatasetConfig, genome: Genome) -> list[Interval]:
    long = [contig for contig in contigs if contig.length >= config.window_bp]
    if not long:
        longest = max(contigs, key=lambda contig: contig.length)
        raise DataError(
            genome.path,
            f"the longest contig, {longest}, has {longest.length:,} bp",
            f"one of at least window_bp = {config.window_bp:,}",
            "make window_bp smaller",
        )
    return long


def _by_chromosomes(
    contigs: Sequence[Interval], split: SplitByChromosomes, genome: Genome
) -> tuple[list[Stretch], tuple[str, ...]]:
    chroms = list(dict.fromkeys(contig.chrom for contig in contigs))
    chosen: dict[str, set[str]] = {"valid": set(), "test": set()}
    problems = []
    for role, patterns in (("valid", split.valid), ("test", split.test)):
        for pattern in patterns:
            # Equality first: names such as HLA-A*01:01 hold pattern characters themselves.
            hits = [chrom for chrom in chroms if chrom == pattern or fnmatch.fnmatchcase(chrom, pattern)]
            chosen[role].update(hits)
            if not hits:
                problems.append(f"split.{role}: {_no_such_chromosome(pattern, chroms, genome)}")
    both = sorted(chosen["valid"] & chosen["test"])
    if both:
        problems.append(f"split: {', '.join(both)} both in valid and in test")
    if problems:
        raise ConfigError("dataset", problems)
    role_of = {chrom: role for role, names in chosen.items() for chrom in names}
    stretches = [Stretch(contig, role_of.get(contig.chrom, "train")) for contig in contigs]
    return stretches, ("train", *(role for role in ("valid", "test") if getattr(split, role)))


def _no_such_chromosome(pattern: str, chroms: Sequence[str], genome: Genome) -> str:
    if any(fnmatch.fnmatchcase(name, pattern) for name in genome.lengths):
        return f"{pattern!r} is left out or shorter than a window"
    near = difflib.get_close_matches(pattern, chroms, n=1) or [
        chrom for chrom in chroms if pattern.removeprefix("chr") == chrom.removeprefix("chr")
    ]
    shown = ", ".join(chroms[:_SHOWN]) + (", ..." if len(chroms) > _SHOWN else "")
    return f"{pattern!r} matches no chromosome of {shown}" + (f"; did you mean {near[0]!r}?" if near else "")


def _shares(split: SplitByFraction | SplitByFolds) -> tuple[dict[str, float], dict[str, str]]:
    """The wanted share of each fold, and each fold's role; folds that are to be empty are left out."""
    if isinstance(split, SplitByFraction):
        shares = {"train": 1 - split.valid - split.test, "valid": split.valid, "test": split.test}
        return {fold: share for fold, share in shares.items() if share > 0}, {fold: fold for fold in SPLITS}
    roles = {
        str(fold): "valid" if fold in split.valid else "test" if fold in split.test else "train"
        for fold in range(split.k)
    }
    return dict.fromkeys(roles, 1 / split.k), roles


def _by_shares(
    contigs: Sequence[Interval], shares: dict[str, float], config: DatasetConfig, genome: Genome
) -> list[Stretch]:
    # Pieces larger than the smallest fold would overfill it: break small genomes further, down to one window.
    smallest_fold_bp = int(min(shares.values()) * sum(contig.length for contig in contigs))
    break_bp = max(config.window_bp, min(config.break_bp, smallest_fold_bp))
    broken = [
        break_contig(
            contig,
            window_bp=config.window_bp,
            step_bp=config.target_bp,
            break_bp=break_bp,
            apart_bp=2 * config.max_shift_bp,
        )
        for contig in contigs
    ]
    lengths = [piece.length for pieces in broken for piece in pieces]
    if len(lengths) < len(shares):
        raise DataError(
            genome.path,
            f"only {len(lengths)} pieces of window_bp = {config.window_bp:,} fit on its contigs",
            f"one at least for each of {', '.join(shares)}",
            "make window_bp smaller, or ask for fewer folds",
        )
    names = list(shares)
    folds = iter(assign_folds(lengths, list(shares.values()), config.seed))
    return [stretch for pieces in broken for stretch in join_pieces(pieces, [names[next(folds)] for _ in pieces])]


def _by_regions(genome: Genome, config: DatasetConfig, split: SplitByRegions, alias: ContigAlias | None) -> Division:
    rows = read_bed_rows(split.bed, genome_lengths=genome.lengths, alias=alias, all_known=True)
    wrong = [row for row in rows if row.name not in SPLITS]
    if wrong or not rows:
        problems = [
            f"{row.interval} has {row.name!r} in column 4; needed train, valid or test" for row in wrong[:_SHOWN]
        ]
        raise ConfigError(split.bed, problems or ["no region lies on the genome; needed chrom, start, end, split"])
    order = {chrom: number for number, chrom in enumerate(genome.lengths)}
    rows.sort(key=lambda row: (order[row.interval.chrom], row.interval.start, row.interval.end))
    stretches = [Stretch(row.interval, row.name) for row in rows]
    overlaps = find_overlaps(stretches)
    if overlaps:
        first, second = (stretches[i] for i in overlaps[0])
        raise DataError(
            split.bed,
            f"{first.fold} {first.interval} overlaps {second.fold} {second.interval} ({len(overlaps)} such pairs)",
            "regions of different splits that share no base",
            "cut the regions apart",
        )
    apart = keep_apart(stretches, 2 * config.max_shift_bp)
    wanted = tuple(name for name in SPLITS if any(stretch.fold == name for stretch in stretches))
    left_out = _lost_regions(stretches, apart, config)
    _long_enough([stretch.interval for stretch in stretches], config, genome)
    return Division(tuple(apart), SPLITS, {name: name for name in SPLITS}, wanted, tuple(left_out))


def _lost_regions(given: Iterable[Stretch], apart: Iterable[Stretch], config: DatasetConfig) -> list[str]:
    def count(stretches: Iterable[Stretch]) -> int:
        return sum(stretch.interval.length >= config.window_bp for stretch in stretches)

    given = list(given)
    short, trimmed = len(given) - count(given), count(given) - count(apart)
    sentences = [f"{short:,} regions shorter than a window"] if short else []
    if trimmed:
        sentences.append(
            f"{trimmed:,} regions that hold no window once {2 * config.max_shift_bp} bp away from another split's "
            "(max_shift_bp 0 keeps them; training cannot shift then)"
        )
    return sentences
