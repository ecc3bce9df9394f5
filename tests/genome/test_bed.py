import gzip
from pathlib import Path

import pytest

from regact.errors import ConfigError, ContigError, FormatError
from regact.genome import BedRow, Interval, load_genome, parse_contig_alias, read_bed, read_bed_rows

LENGTHS = {"chr1": 1000, "chr2": 500}
TEXT = """# a comment
track name="peaks" description="x"
browser position chr1:1-10
chr1\t10\t20\tpeak one\t7.5\t+

chr2\t0\t500\tb\t.\t-
chr1\t15\t30
chrUn_1\t0\t99\tnot in the genome
chr1\t40\t40\tempty\thigh\t*
"""


@pytest.mark.parametrize("ending", [".bed", ".bed.gz"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_rows_in_file_order_with_what_they_say(tmp_path: Path, ending: str, line_end: str) -> None:
    path = tmp_path / f"peaks{ending}"
    data = TEXT.replace("\n", line_end).encode()
    path.write_bytes(gzip.compress(data) if ending.endswith("gz") else data)
    assert read_bed_rows(path, genome_lengths=LENGTHS) == [
        BedRow(Interval("chr1", 10, 20), "peak one", 7.5, "+"),
        BedRow(Interval("chr2", 0, 500), "b", None, "-"),
        BedRow(Interval("chr1", 15, 30)),
        BedRow(Interval("chr1", 40, 40), "empty", None, "."),
    ]
    regions = read_bed(path, genome_lengths=LENGTHS)
    assert list(regions) == [Interval("chr1", 10, 30), Interval("chr2", 0, 500)]


def test_spaces_between_columns_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "a.bed").write_text("chr1 5   9\n")
    assert list(read_bed(tmp_path / "a.bed", genome_lengths=LENGTHS)) == [Interval("chr1", 5, 9)]


def test_a_byte_order_mark_and_contigs_called_like_headers_lose_no_row(tmp_path: Path) -> None:
    path = tmp_path / "a.bed"
    path.write_bytes(b"\xef\xbb\xbfchr1\t5\t9\ntrack_1\t0\t7\nbrowsers\t1\t2\ntrack\nchr1\t20\t30\n")
    regions = read_bed(path, genome_lengths={**LENGTHS, "track_1": 50, "browsers": 50})
    assert list(regions) == [
        Interval("browsers", 1, 2),
        Interval("chr1", 5, 9),
        Interval("chr1", 20, 30),
        Interval("track_1", 0, 7),
    ]


def test_rows_on_unknown_contigs_are_named_where_none_may_be_lost(tmp_path: Path) -> None:
    (tmp_path / "a.bed").write_text("chr1\t5\t9\nchrX\t0\t7\nchr2\t1\t2\nchrY\t0\t1\n")
    with pytest.raises(ConfigError) as caught:
        read_bed_rows(tmp_path / "a.bed", genome_lengths=LENGTHS, all_known=True)
    assert caught.value.problems == tuple(
        f"line {line}: the genome has no contig '{name}'; remove the row or mend the name"
        for line, name in ((2, "chrX"), (4, "chrY"))
    )


def test_every_bad_row_is_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bad.bed"
    path.write_text("chr1\t1\nchr1\t5\t9\nchr1\t-5\t9\nchr1\t9\t5\nchr1\tx\t5\nchr1\t1.5\t7\n")
    with pytest.raises(ConfigError) as caught:
        read_bed(path, genome_lengths=LENGTHS)
    assert caught.value.problems == (
        "line 1: 2 columns, needed chrom, start, end with tabs between",
        "line 3: start '-5' and end '9' are not both whole numbers >= 0",
        "line 4: end 5 lies before start 9",
        "line 5: start 'x' and end '5' are not both whole numbers >= 0",
        "line 6: start '1.5' and end '7' are not both whole numbers >= 0",
    )
    path.write_text("chr1\t1\n" * 25)
    with pytest.raises(ConfigError, match="and 15 more"):
        read_bed(path, genome_lengths=LENGTHS)


def test_rows_beyond_the_contig_are_named_and_regions_cut_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "far.bed"
    path.write_text("chr1\t0\t1000\nchr2\t400\t501\n")
    with pytest.raises(ConfigError, match=r"far\.bed: line 2: 400-501 lies beyond the end of chr2, 500 bp"):
        read_bed_rows(path, genome_lengths=LENGTHS)
    assert list(read_bed(path, genome_lengths=LENGTHS)) == [Interval("chr1", 0, 1000), Interval("chr2", 400, 500)]
    path.write_text("chr2\t500\t501\n")
    with pytest.raises(ConfigError, match="line 1: 500-501 lies beyond"):
        read_bed(path, genome_lengths=LENGTHS)


def test_names_are_mapped_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "ensembl.bed"
    path.write_text("1\t5\t9\n2\t1\t3\n")
    with pytest.raises(ContigError, match=r"ensembl\.bed.*--contig-alias chr"):
        read_bed(path, genome_lengths=LENGTHS)
    regions = read_bed(path, genome_lengths=LENGTHS, alias=parse_contig_alias("chr"))
    assert list(regions) == [Interval("chr1", 5, 9), Interval("chr2", 1, 3)]


def test_an_empty_bed_covers_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.bed").write_text("# nothing\n")
    assert len(read_bed(tmp_path / "empty.bed", genome_lengths=LENGTHS)) == 0


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    for name, data in (
        ("cut.bed.gz", gzip.compress(TEXT.encode() * 50)[:100]),
        ("picture.bed", b"\x89PNG\xff\xfe\x00"),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(FormatError, match=f"{name}: not readable.*needed a BED file"):
            read_bed(tmp_path / name, genome_lengths=LENGTHS)
    with pytest.raises(FormatError, match=r"none\.bed: not readable"):
        read_bed(tmp_path / "none.bed", genome_lengths=LENGTHS)


@pytest.mark.data
def test_the_real_blacklist_and_genes_of_the_worm(data_dir: Path, tmp_path: Path) -> None:
    genome = load_genome(data_dir / "worm" / "genome.fa.gz", cache_dir=tmp_path)
    blacklist = read_bed(data_dir / "worm" / "annotation" / "blacklist.bed.gz", genome_lengths=genome.lengths)
    genes = read_bed_rows(data_dir / "worm" / "annotation" / "genes.bed.gz", genome_lengths=genome.lengths)
    assert 0 < blacklist.total_bp < genome.total_bp // 20
    assert blacklist.overlaps(Interval("chrIII", 13_783_699, 13_783_700)), "its row 10 runs on for a million bases"
    assert len(genes) > 10_000
    assert {gene.strand for gene in genes} == {"+", "-"}
