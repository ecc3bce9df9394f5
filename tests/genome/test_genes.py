"""Genes of GTF, GFF3 and BED files: the same genes whatever the format, and every bad row by its line."""

import gzip
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.errors import ConfigError, ContigError, FormatError
from regact.genome import Gene, Interval, load_genome, parse_contig_alias, read_genes
from regact.genome.gff import parse_attributes
from regact.simulation.annotation import gene_gtf

LENGTHS = {"chr1": 1000, "chr2": 500}
GENES = [
    Gene("g1", "ABC1", Interval("chr1", 9, 300), "+"),
    Gene("g2", "g2", Interval("chr2", 0, 500), "-"),
]
GTF = """#!genome-build x
chr1\tsource\tgene\t10\t300\t.\t+\t.\tgene_id "g1"; level 2; gene_name "ABC1";
chr1\tsource\ttranscript\t10\t200\t.\t+\t.\tgene_id "g1"; transcript_id "g1.1"; gene_name "ABC1";
chr1\tsource\texon\t10\t200\t.\t+\t.\tgene_id "g1"; transcript_id "g1.1";
chr1\tsource\ttranscript\t90\t300\t.\t+\t.\tgene_id "g1"; transcript_id "g1.2"; gene_name "ABC1";
chrUn\tsource\tgene\t1\t9\t.\t+\t.\tgene_id "lost";
chr2\tsource\tgene\t1\t500\t.\t-\t.\tgene_id "g2"
chr2\tsource\ttranscript\t1\t500\t.\t-\t.\tgene_id "g2"; transcript_id "g2.1"
"""
GFF3 = """##gff-version 3
chr1\tX\tregion\t1\t1000\t.\t.\t.\tID=chr1
chr1\tX\tgene\t10\t300\t.\t+\t.\tID=g1;Name=ABC1;Note=a%3Bb
chr1\tX\tmRNA\t10\t300\t.\t+\t.\tID=t1;Parent=g1;Name=ABC1-RA
chr1\tX\tpseudogene\t10\t20\t.\t+\t.\tID=below;Parent=g1
###
chr2\tX\tncRNA_gene\t1\t500\t.\t-\t.\tID=g2
##FASTA
>chr1
ACGT
"""
BED = "track name=x\nchr1\t9\t300\tABC1\t0\t+\nchr2\t0\t500\t.\t0\t-\n"


def without_genes(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if "gene\t" not in line)


@pytest.mark.parametrize("text", [GTF, GFF3, without_genes(GTF)], ids=["gtf", "gff3", "transcripts"])
@pytest.mark.parametrize("is_gzip", [False, True])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_the_same_genes_from_every_format(tmp_path: Path, text: str, is_gzip: bool, line_end: str) -> None:
    path = tmp_path / "annotation"
    data = text.replace("\n", line_end).encode()
    path.write_bytes(gzip.compress(data) if is_gzip else data)
    genes = read_genes(path, genome_lengths=LENGTHS)
    assert genes == GENES
    assert [gene.tss for gene in genes] == [9, 499]


def test_bed_rows_are_genes_called_by_their_place_where_they_have_no_name(tmp_path: Path) -> None:
    (tmp_path / "a.bed").write_text(BED)
    assert read_genes(tmp_path / "a.bed", genome_lengths=LENGTHS) == [
        Gene("ABC1", "ABC1", Interval("chr1", 9, 300), "+"),
        Gene("chr2:1-500", "chr2:1-500", Interval("chr2", 0, 500), "-"),
    ]


def test_transcripts_of_gff3_are_joined_by_their_parent(tmp_path: Path) -> None:
    rows = [(10, 200, "a", "g1"), (90, 300, "b", "g1"), (5, 8, "c", "g2")]
    lines = [f"chr1\tX\tmRNA\t{s}\t{e}\t.\t-\t.\tID={i};Name={i};Parent={p}\n" for s, e, i, p in rows]
    (tmp_path / "a.gff3").write_text("".join(lines))
    assert read_genes(tmp_path / "a.gff3", genome_lengths=LENGTHS) == [
        Gene("g1", "g1", Interval("chr1", 9, 300), "-"),
        Gene("g2", "g2", Interval("chr1", 4, 8), "-"),
    ]


def test_every_bad_row_is_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bad.gtf"
    row = "chr1\tX\tgene\t{}\t{}\t.\t{}\t.\t{}\n"
    path.write_text(
        row.format(10, 300, "+", 'gene_id "fine";')
        + "chr1\tX\tgene\n"
        + row.format(0, 5, "+", 'gene_id "a";')
        + row.format("x", 5, "+", 'gene_id "b";')
        + row.format(9, 5, "+", 'gene_id "c";')
        + row.format(9, 15, ".", 'gene_id "d";')
        + row.format(9, 15, "+", 'note "no name";')
    )
    with pytest.raises(ConfigError) as caught:
        read_genes(path, genome_lengths=LENGTHS)
    assert caught.value.problems == (
        "line 2: 3 columns, needed the nine of GTF or GFF3 with tabs between",
        "line 3: start '0' and end '5' are not both whole numbers >= 1",
        "line 4: start 'x' and end '5' are not both whole numbers >= 1",
        "line 5: end 5 lies before start 9",
        "line 7: gene without gene_id or ID among its attributes",
        "line 6: strand '.'; needed + or -, to know where it starts",
    )
    path.write_text("chr1\t0\t9\tg\t0\t.\nchr1\t3\t3\th\t0\t+\n")
    with pytest.raises(ConfigError) as caught:
        read_genes(path, genome_lengths=LENGTHS)
    assert caught.value.problems == (
        "line 2: 3-3 is empty, needed a gene of one base or more",
        "line 1: strand '.'; needed + or -, to know where it starts",
    )


def test_genes_beyond_their_contig_are_of_another_assembly(tmp_path: Path) -> None:
    (tmp_path / "far.gtf").write_text(GTF.replace("\t500\t", "\t501\t"))
    with pytest.raises(ConfigError, match=r"far\.gtf: line 7: 0-501 lies beyond the end of chr2, 500 bp"):
        read_genes(tmp_path / "far.gtf", genome_lengths=LENGTHS)


def test_names_are_mapped_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "ensembl.gtf"
    path.write_text(GTF.replace("chr", ""))
    with pytest.raises(ContigError, match=r"ensembl\.gtf.*--contig-alias chr"):
        read_genes(path, genome_lengths=LENGTHS)
    assert read_genes(path, genome_lengths=LENGTHS, alias=parse_contig_alias("chr")) == GENES


@pytest.mark.parametrize("text", ["", "# nothing\n", 'chr1\tX\texon\t1\t9\t.\t+\t.\tgene_id "g";\n'])
def test_a_file_without_genes(tmp_path: Path, text: str) -> None:
    (tmp_path / "none.gtf").write_text(text)
    with pytest.raises(ConfigError, match="no row of a gene or a transcript"):
        read_genes(tmp_path / "none.gtf", genome_lengths=LENGTHS)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "cut.gtf.gz").write_bytes(gzip.compress(GTF.encode() * 50)[:100])
    for name in ("cut.gtf.gz", "absent.gtf"):
        with pytest.raises(FormatError, match=f"{name}: not readable.*GTF, GFF3 or BED"):
            read_genes(tmp_path / name, genome_lengths=LENGTHS)


@given(st.dictionaries(st.text("abc_", min_size=1), st.text("xyz ;=%\t,", min_size=1).map(str.strip).filter(bool)))
def test_attributes_come_back_from_gff3(attributes: dict[str, str]) -> None:
    escaped = {key: "".join(f"%{ord(c):02X}" if c in ";=%\t, " else c for c in v) for key, v in attributes.items()}
    assert parse_attributes(";".join(f"{key}={value}" for key, value in escaped.items())) == attributes


def test_the_simulated_genomes_gtf_starts_where_its_promoters_do(tmp_path: Path) -> None:
    promoters = pd.DataFrame({
        "promoter": ["chr1_tss_1", "chr1_tss_2"], "tss": [100, 900], "strand": ["+", "-"], "planted": [True, False]
    })  # fmt: skip
    (tmp_path / "genes.gtf").write_text(gene_gtf("chr1", 1000, promoters, 300))
    genes = read_genes(tmp_path / "genes.gtf", genome_lengths=LENGTHS)
    assert [(gene.tss, gene.strand) for gene in genes] == [(100, "+"), (900, "-")]


@pytest.mark.data
def test_genes_of_yeast_and_worm(data_dir: Path, tmp_path: Path) -> None:
    yeast = load_genome(data_dir / "yeast" / "genome.fa.gz", cache_dir=tmp_path)
    path = data_dir / "yeast" / "annotation" / "SGD_genes.gff3.gz"
    genes = {g.name: g for g in read_genes(path, genome_lengths=yeast.lengths, alias=parse_contig_alias("chr"))}
    starts = pd.read_csv(data_dir / "yeast" / "annotation" / "gene_TSSs.tsv", sep="\t")
    starts = starts[(starts["TSSType"] == "AUG") & starts["gene"].isin(genes)]
    assert len(starts) > 100
    assert all(genes[row.gene].tss == row.TSS - 1 for row in starts.itertuples())
    worm = load_genome(data_dir / "worm" / "genome.fa.gz", cache_dir=tmp_path)
    assert len(read_genes(data_dir / "worm" / "annotation" / "genes.bed.gz", genome_lengths=worm.lengths)) > 10_000
