"""Which contig of a file is which contig of the genome, found out before any work is done."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from regact.errors import ConfigError, ContigError, FormatError

_MITOCHONDRIAL = frozenset({"m", "mt", "mito", "mtdna", "mitochondrion", "mitochondria", "mitochondrion_genome"})
_PREFIX = "chr"
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class ContigAlias:
    """How another file's contig names become the genome's.

    Either names differ by the prefix "chr" (`table` is None; mitochondria are recognised under all their usual
    names), or `table` maps the other file's names to the genome's, and names that it lacks are taken as they are.
    """

    source: str
    table: Mapping[str, str] | None = None


def parse_contig_alias(text: str | Path | None) -> ContigAlias | None:
    """What `--contig-alias` says: "chr", or the path of a two-column TSV (the file's name, the genome's name).

    Lines that start with # and empty lines are passed over.

    Raises: FormatError where the table cannot be read; ConfigError with every bad row.
    """
    if text is None:
        return None
    if str(text) == _PREFIX:
        return ContigAlias(_PREFIX)
    path = Path(text)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()  # Windows programs write a byte-order mark
    except (OSError, UnicodeDecodeError) as error:
        needed = f"'{_PREFIX}', or a TSV of two columns: the file's name, the genome's name"
        raise FormatError(f"--contig-alias {text}", "not readable as text", needed) from error
    return ContigAlias(str(path), _parse_table(path, lines))


def is_mitochondrial(name: str, description: str = "") -> bool:
    """Whether a contig is a mitochondrial genome, by its name (M, MT, chrM, Mito, ...) or its FASTA description."""
    return _bare(name) == _bare("MT") or re.search(r"\bmitochondri(on|al)\b", description, re.IGNORECASE) is not None


def match_contigs(
    genome_lengths: Mapping[str, int],
    other_lengths: Mapping[str, int | None],
    *,
    where: object,
    alias: ContigAlias | None = None,
) -> dict[str, str]:
    """The other file's name of each contig of the genome that it has; contigs that it lacks are left out.

    A mitochondrial contig of another length is taken as lacking rather than refused: hg19's differs between sources
    whose other contigs agree, and datasets leave it out anyway.

    Args:
        genome_lengths: Contigs of the genome that matter, with their lengths.
        other_lengths: Contigs of the other file; None where it does not say a length.
        where: Names the other file in errors.

    Raises: ContigError where no name matches, where names that differ by a known spelling would be lost in silence,
        where two names mean one contig, or where lengths differ (another assembly).
    """
    matched = _match_names(genome_lengths, other_lengths, alias, where)
    if not matched:
        raise _no_match(genome_lengths, other_lengths, where, alias)
    if alias is None:
        _refuse_lost_names(genome_lengths, other_lengths, matched, where)
    return _check_lengths(genome_lengths, other_lengths, matched, where)


def _match_names(
    genome_names: Iterable[str], other_names: Iterable[str], alias: ContigAlias | None, where: object
) -> dict[str, str]:
    """Genome's name -> other name, in the genome's order."""
    translate = _Translation(genome_names, alias)
    found: dict[str, str] = {}
    for other in other_names:
        name = translate(other)
        if name is None:
            continue
        if name in found:
            source = "as they are" if alias is None else f"by --contig-alias {alias.source}"
            raise ContigError(where, f"'{found[name]}' and '{other}' both mean contig '{name}' {source}", "one of them")
        found[name] = other
    return {name: found[name] for name in translate.names if name in found}


class _Translation:
    """Another file's contig name -> the genome's, None where it has none."""

    def __init__(self, genome_names: Iterable[str], alias: ContigAlias | None) -> None:
        self.names = dict.fromkeys(genome_names)
        self._table = {} if alias is None or alias.table is None else alias.table
        by_bare: dict[str, list[str]] = {}
        if alias is not None and alias.table is None:
            for name in self.names:
                by_bare.setdefault(_bare(name), []).append(name)
        # "1" is no name for "chr1" where a "Chr1" stands beside it.
        self._by_bare = {bare: names[0] for bare, names in by_bare.items() if len(names) == 1}

    def __call__(self, other: str) -> str | None:
        name = self._table.get(other, other)
        return name if name in self.names else self._by_bare.get(_bare(name))


def _no_match(
    genome_names: Iterable[str], other_names: Iterable[str], where: object, alias: ContigAlias | None
) -> ContigError:
    found = f"contigs {_list(other_names)}"
    needed = f"the genome's contigs {_list(genome_names)}"
    if alias is None and _match_names(genome_names, other_names, ContigAlias(_PREFIX), where):
        return ContigError(where, found, needed, f"use --contig-alias {_PREFIX} if they are of the same assembly")
    if alias is not None and alias.table is not None and set(alias.table) & set(genome_names):
        return ContigError(where, found, needed, f"exchange the columns of {alias.source}: the file's name comes first")
    remedy = "use --contig-alias with a TSV of two columns: the file's name, the genome's name"
    return ContigError(where, found, needed, remedy)


def _refuse_lost_names(
    genome_names: Iterable[str], other_names: Iterable[str], matched: Mapping[str, str], where: object
) -> None:
    """Refuse files in which only some names agree (scaffolds, say) while others differ by their spelling alone."""
    known = set(matched.values())
    left_genome = [name for name in genome_names if name not in matched and not is_mitochondrial(name)]
    left_other = [name for name in other_names if name not in known]
    lost = _match_names(left_genome, left_other, ContigAlias(_PREFIX), where)
    if lost:
        pairs = _list(f"{other} for {name}" for name, other in lost.items())
        raise ContigError(where, f"other spellings: {pairs}", "the genome's names", f"use --contig-alias {_PREFIX}")


def _check_lengths(
    genome_lengths: Mapping[str, int],
    other_lengths: Mapping[str, int | None],
    matched: Mapping[str, str],
    where: object,
) -> dict[str, str]:
    checked: dict[str, str] = {}
    for name, other in matched.items():
        length = other_lengths[other]
        if length is not None and length != genome_lengths[name]:
            if is_mitochondrial(name):
                continue
            raise ContigError(
                where,
                f"contig '{other}' has {length:,} bp",
                f"{genome_lengths[name]:,} bp as '{name}' has in the genome",
                "the two are of different assemblies: lift the file over, or use the genome it was made on",
            )
        checked[name] = other
    return checked


def _parse_table(path: Path, lines: list[str]) -> dict[str, str]:
    table: dict[str, str] = {}
    problems = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        columns = [column.strip() for column in line.split("\t")]
        if len(columns) != 2 or not all(columns):
            problems.append(f"line {number} has {len(columns)} columns, not two names with a tab between")
        elif table.setdefault(columns[0], columns[1]) != columns[1]:
            problems.append(f"line {number} maps '{columns[0]}' to '{columns[1]}', earlier to '{table[columns[0]]}'")
    if not table and not problems:
        problems.append("no row in it")
    if problems:
        raise ConfigError(path, problems)
    return table


def _bare(name: str) -> str:
    """The name without "chr" in any case; one word for all names of the mitochondrial contig."""
    bare = name[len(_PREFIX) :] if name.lower().startswith(_PREFIX) else name
    return "mitochondrion" if bare.lower() in _MITOCHONDRIAL else bare


def _list(names: Iterable[str]) -> str:
    every = list(names)
    shown = ", ".join(every[:_SHOWN]) or "none"
    return shown if len(every) <= _SHOWN else f"{shown}, ... ({len(every)})"


def natural_order(names: Iterable[str]) -> list[str]:
    """Names with numbers in them by these numbers: chr2 before chr10."""

    def parts(name: str) -> list[str | int]:  # text and numbers by turns
        return [int(part) if place % 2 else part for place, part in enumerate(re.split(r"([0-9]+)", name))]

    return sorted(names, key=parts)
