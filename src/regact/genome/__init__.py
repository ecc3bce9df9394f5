"""Coordinates and bases: intervals, a FASTA genome as memory-mapped codes, regions, genes, contigs and their names.

Knows nothing of signals. Imports `errors` and `engine` only.
"""

from regact.genome.bed import BedRow, read_bed, read_bed_rows
from regact.genome.contig_names import ContigAlias, is_mitochondrial, match_contigs, natural_order, parse_contig_alias
from regact.genome.contigs import MIN_GAP_BP, ContigSet, find_contigs
from regact.genome.genes import Gene, read_genes
from regact.genome.interval import Interval, parse_region
from regact.genome.known_parts import KnownParts, open_known_parts
from regact.genome.reference import Genome, load_genome
from regact.genome.regions import Regions
from regact.genome.sequence import N_CODE, decode, encode, reverse_complement

__all__ = [
    "MIN_GAP_BP",
    "N_CODE",
    "BedRow",
    "ContigAlias",
    "ContigSet",
    "Gene",
    "Genome",
    "Interval",
    "KnownParts",
    "Regions",
    "decode",
    "encode",
    "find_contigs",
    "is_mitochondrial",
    "load_genome",
    "match_contigs",
    "natural_order",
    "open_known_parts",
    "parse_contig_alias",
    "parse_region",
    "read_bed",
    "read_bed_rows",
    "read_genes",
    "reverse_complement",
]
