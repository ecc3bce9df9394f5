"""Genes of a GTF, GFF3 or BED file, plain or gzip, read against a genome; every bad row is named, all at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from regact.errors import ConfigError
from regact.genome.bed import parse_bed_row
from regact.genome.contig_names import ContigAlias
from regact.genome.gff import AnnotationRow, is_gene, is_transcript, parse_gff_row
from regact.genome.interval import Interval
from regact.genome.placed_rows import beyond_end, genome_names, numbered_rows, refuse_bad_rows

_NEEDED = "genes as GTF, GFF3 or BED, plain or gzip"


@dataclass(frozen=True, slots=True)
class Gene:
    """A gene: from the first to the last base of its transcripts, on the strand "+" or "-"."""

    identifier: str
    name: str
    interval: Interval
    strand: str

    @property
    def tss(self) -> int:
        """0-based position of the start of transcription: the gene's outermost base at its 5' end."""
        return self.interval.start if self.strand == "+" else self.interval.end - 1


def read_genes(path: Path | str, *, genome_lengths: Mapping[str, int], alias: ContigAlias | None = None) -> list[Gene]:
    """The genes of an annotation in file order, under the genome's contig names.

    GTF and GFF3: the gene rows (`gene`, `ncRNA_gene`, `pseudogene`, ... without a parent), or, in a file that has none,
    the transcripts of each gene taken together. The identifier is `gene_id` or `ID`, the name `gene_name` or `Name`.
    BED: each row is a gene; without a name it is called by its place. What a file is, its first row says. Genes on
    contigs that the genome lacks are left out, unless all are.

    Raises:
        FormatError: The file cannot be read.
        ConfigError: Rows that are bad, lack a strand or run beyond their contig (all of them up to ten), or no gene.
        ContigError: No contig name matches the genome's.
    """
    path = Path(path)
    rows = _read_rows(path)
    names = genome_names(path, (row.chrom for row in rows), genome_lengths, alias)
    problems, genes = [], []
    for row in rows:
        if (chrom := names.get(row.chrom)) is None:
            continue
        if row.end > genome_lengths[chrom]:
            problems.append(beyond_end(row.line, row.start, row.end, chrom, genome_lengths[chrom]))
        genes.append(Gene(row.identifier, row.name, Interval(chrom, row.start, row.end), row.strand))
    refuse_bad_rows(path, problems)
    return genes


def _read_rows(path: Path) -> list[AnnotationRow]:
    """The rows that are genes, each with its strand."""
    genes: list[AnnotationRow] = []
    transcripts: list[AnnotationRow] = []
    problems: list[str] = []
    is_bed: bool | None = None
    for number, line in numbered_rows(path, _NEEDED):
        if line.startswith(">"):  # GFF3 may end with the sequence (##FASTA)
            break
        if is_bed is None:
            is_bed = _looks_like_bed(line)
        try:
            row = _parse_bed_gene(number, line) if is_bed else parse_gff_row(number, line)
        except ValueError as error:
            problems.append(f"line {number}: {error}")
            continue
        if is_bed or is_gene(row):
            genes.append(row)
        elif is_transcript(row) and not genes:
            transcripts.append(row)
    chosen = genes or _join_transcripts(transcripts)
    unstranded = [row for row in chosen if row.strand not in ("+", "-")]
    problems += [
        f"line {row.line}: strand '{row.strand}'; needed + or -, to know where it starts" for row in unstranded
    ]
    refuse_bad_rows(path, problems)
    if not chosen:
        raise ConfigError(path, [f"no row of a gene or a transcript in it; needed {_NEEDED}"])
    return chosen


def _looks_like_bed(line: str) -> bool:
    """Whether columns 2 and 3 are numbers: in GTF and GFF3 they are the source and the kind of feature."""
    fields = line.split()
    return len(fields) >= 3 and fields[1].isdecimal() and fields[2].isdecimal()


def _parse_bed_gene(number: int, line: str) -> AnnotationRow:
    chrom, start, end, rest = parse_bed_row(line)
    if start == end:
        raise ValueError(f"{start:,}-{end:,} is empty, needed a gene of one base or more")
    name, _, strand = [*rest, "", "", ""][:3]
    name = name if name not in ("", ".") else str(Interval(chrom, start, end))
    return AnnotationRow(number, "gene", chrom, start, end, strand, name, name)


def _join_transcripts(rows: Iterable[AnnotationRow]) -> list[AnnotationRow]:
    """One row a gene: from the first to the last base of its transcripts on one contig and strand."""
    genes: dict[tuple[str, str, str], AnnotationRow] = {}
    for row in rows:
        key = (row.identifier, row.chrom, row.strand)
        known = genes.get(key, row)
        genes[key] = replace(known, start=min(known.start, row.start), end=max(known.end, row.end))
    return list(genes.values())
