"""One row of a GTF or GFF3 file: nine columns, 1-based with both ends included, two ways to write attributes."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

_N_COLUMNS = 9
_GTF_ATTRIBUTE = re.compile(r'\s*(\S+)\s+(?:"([^"]*)"|([^\s;]+))\s*(?:;|$)')
_IS_GFF3 = re.compile(r"\s*[^\s=\"]+=")
# What stands for the gene in gene rows and in transcripts, and what it is called by; GTF's words before GFF3's.
_GENE_IDENTIFIER = ("gene_id", "ID")
_GENE_OF_TRANSCRIPT = ("gene_id", "Parent", "transcript_id", "ID")
_GENE_NAME = ("gene_name", "Name", "gene")
_NAME_OF_TRANSCRIPTS_GENE = ("gene_name", "gene")  # a transcript's own Name is not its gene's


@dataclass(frozen=True, slots=True)
class AnnotationRow:
    """A gene or transcript as a file has it: `start` 0-based, `end` not included; `has_parent` in GFF3 only."""

    line: int
    feature: str
    chrom: str
    start: int
    end: int
    strand: str
    identifier: str
    name: str
    has_parent: bool = False


def is_gene(row: AnnotationRow) -> bool:
    """True for `gene`, `ncRNA_gene`, `pseudogene` and the like; FlyBase has pseudogenes below genes, those are not."""
    return row.feature.endswith("gene") and not row.has_parent


def is_transcript(row: AnnotationRow) -> bool:
    """True for `transcript`, `mRNA`, `lnc_RNA` and the like."""
    return row.feature.endswith(("transcript", "RNA"))


def parse_gff_row(number: int, line: str) -> AnnotationRow:
    """The row of line `number`; identifier and name are empty for features that are neither gene nor transcript.

    Raises: ValueError saying what is wrong with it.
    """
    fields = line.split("\t")
    if len(fields) != _N_COLUMNS:
        raise ValueError(f"{len(fields)} columns, needed the nine of GTF or GFF3 with tabs between")
    chrom, _, feature, first_text, last_text, _, strand, _, attribute_text = fields
    if not (first_text.isdecimal() and last_text.isdecimal() and int(first_text) > 0):
        raise ValueError(f"start '{first_text}' and end '{last_text}' are not both whole numbers >= 1")
    first, last = int(first_text), int(last_text)
    if last < first:
        raise ValueError(f"end {last:,} lies before start {first:,}")
    row = AnnotationRow(number, feature, chrom, first - 1, last, strand, "", "")
    of_transcript = is_transcript(row)
    if not (is_gene(row) or of_transcript):
        return row
    attributes = parse_attributes(attribute_text)
    identifier = _first(attributes, _GENE_OF_TRANSCRIPT if of_transcript else _GENE_IDENTIFIER)
    if not identifier:
        raise ValueError(f"{feature} without {' or '.join(_GENE_IDENTIFIER)} among its attributes")
    name = _first(attributes, _NAME_OF_TRANSCRIPTS_GENE if of_transcript else _GENE_NAME) or identifier
    has_parent = "Parent" in attributes
    return AnnotationRow(number, feature, chrom, first - 1, last, strand, identifier, name, has_parent)


def parse_attributes(text: str) -> dict[str, str]:
    """The attributes of a row: `key "value";` (GTF) or `key=value;` with %-escapes (GFF3); of a key the first."""
    if _IS_GFF3.match(text):
        pairs = [(key.strip(), unquote(value.strip())) for key, _, value in _split_pairs(text)]
    else:
        pairs = [(match[1], match[2] if match[2] is not None else match[3]) for match in _GTF_ATTRIBUTE.finditer(text)]
    attributes: dict[str, str] = {}
    for key, value in pairs:
        attributes.setdefault(key, value)
    return attributes


def _split_pairs(text: str) -> list[tuple[str, str, str]]:
    return [part.partition("=") for part in text.split(";") if part.strip()]


def _first(attributes: dict[str, str], keys: tuple[str, ...]) -> str:
    return next((attributes[key] for key in keys if attributes.get(key)), "")
