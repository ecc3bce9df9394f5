"""From alignments to places and fates: held against records looked at one by one through pysam."""

import gzip

import numpy as np
import pysam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.errors import ContigError, DataError, FormatError
from regact.reads import GenomeLayout, count_places, coverage_settings, read_bam
from regact.reads.sources.bam_records import parse_records
from regact.reads.sources.rows import ROW, Tally

SHARE = 0x100


def places_of(path, layout, assay="dnase", **replaced):
    """For each read its set of (contig, counted base, strand), in the order of the file; and the fates."""
    settings = coverage_settings(assay, gc=False, **replaced)
    reads, _ = read_bam(path, layout, settings)
    alignments = count_places(reads, layout, settings)
    contig = layout.contig_of(alignments.place)
    found = list(
        zip(
            contig.tolist(),
            (alignments.place - layout.offsets[contig]).tolist(),
            alignments.strand.tolist(),
            strict=True,
        )
    )
    parts = zip(alignments.offsets[:-1], alignments.offsets[1:], strict=True)
    return [set(found[a:b]) for a, b in parts], {name: n for name, n in reads.fates.to_dict().items() if n}


def test_single_reads_of_bowtie2_without_nh(record, write_alignments, layout):
    path = write_alignments(
        [
            record("a", 0, "c1", 100, "20M"),
            record("b", 16, "c1", 200, "20M"),
            record("b", 256, "c2", 300, "10M2D10M"),
            record("c", 4),
            record("d", 0, "c2", 50, "5S10M5S"),
            record("d", 2048, "c1", 7, "5M"),
        ]
    )
    reads, fates = places_of(path, layout)
    assert reads == [{(0, 100, 1)}, {(0, 219, -1), (1, 300, 1)}, {(1, 50, 1)}]
    assert fates == {"unique": 2, "multi": 1, "unmapped": 1}


def test_shifts_move_five_prime_ends_and_stop_at_the_contigs_ends(record, write_alignments, layout):
    path = write_alignments(
        [
            record("a", 0, "c1", 100),
            record("b", 16, "c1", 200),
            record("c", 16, "c2", 0, "3M17S"),
            record("d", 0, "c1", 59_999, "1M19S"),
        ]
    )
    reads, _ = places_of(path, layout, "atac")
    assert reads == [{(0, 104, 1)}, {(0, 214, -1)}, {(1, 0, -1)}, {(0, 59_999, 1)}]


def test_fates_of_reads(record, write_alignments, layout):
    many = [record("many", 256 if n else 0, "c1", 100 * n) for n in range(11)]
    path = write_alignments(
        [
            record("dup", 1024, "c1", 5),
            record("failed", 512, "c1", 5),
            record("low", 0, "c1", 5, mapq=3),
            *many,
            record("listed", 0, "c1", 5, "20M", "NH:i:3"),
            record("lost", 4),
            record("good", 0, "c1", 5),
        ]
    )
    reads, fates = places_of(path, layout, min_mapq=10)
    assert reads == [{(0, 5, 1)}]
    assert fates == {
        "unique": 1,
        "duplicate": 1,
        "failed_quality": 1,
        "low_mapq": 1,
        "too_many_places": 1,
        "places_not_listed": 1,
        "unmapped": 1,
    }
    assert places_of(path, layout, min_mapq=10, keep_duplicates=True)[1]["unique"] == 2
    assert places_of(path, layout, max_places=11)[1]["multi"] == 1


def test_pairs_three_ways(record, write_alignments, layout):
    def pair(name, flags, start, span, second=0):
        end = start + span
        return [
            record(name, flags[0] | second, "c1", start, mate=("=", end - 20), span=span),
            record(name, flags[1] | second, "c1", end - 20, mate=("=", start), span=-span),
        ]

    path = write_alignments(
        [
            *pair("p", (99, 147), 1_000, 150),
            *pair("q", (163, 83), 2_000, 201)[::-1],
            *pair("m", (99, 147), 3_000, 180),
            *pair("m", (99, 147), 5_000, 180, SHARE),
            record("half", 73, "c1", 9_000, mate=("=", 9_000)),
            record("half", 133, "c1", 9_000, mate=("=", 9_000)),
            *pair("long", (99, 147), 10_000, 2_500),
            record("apart", 65, "c1", 20_000, mate=("c2", 50)),
            record("apart", 129, "c2", 50, mate=("c1", 20_000)),
        ]
    )
    reads, fates = places_of(path, layout, "chip")
    assert reads == [{(0, 1_075, 1)}, {(0, 2_100, -1)}, {(0, 3_090, 1), (0, 5_090, 1)}]
    assert fates == {"unique": 2, "multi": 1, "not_proper_pair": 2, "fragment_length": 1}
    reads, fates = places_of(path, layout, "cage")
    assert reads == [
        {(0, 1_000, 1)},
        {(0, 2_200, -1)},
        {(0, 3_000, 1), (0, 5_000, 1)},
        {(0, 9_000, 1)},
        {(0, 10_000, 1)},
        {(0, 20_000, 1)},
    ]
    reads, fates = places_of(path, layout, "dnase")
    assert {(0, 1_149, -1)} in reads
    assert {(0, 3_179, -1), (0, 5_179, -1)} in reads
    assert fates == {"unique": 9, "multi": 2, "unmapped": 1}


@pytest.mark.parametrize("flags", [(99, 147), (83, 163), (67, 131), (115, 179)])
def test_a_fragment_spans_its_mates_however_they_are_turned(flags, record, write_alignments, layout):
    """Mates face each other, look apart, or both one way; the file says that they are a proper pair."""
    mates = [
        record("p", flags[0], "c1", 1_000, mate=("=", 1_180), span=200),
        record("p", flags[1], "c1", 1_180, mate=("=", 1_000), span=-200),
    ]
    strand = -1 if flags[0] & 16 else 1
    assert places_of(write_alignments(mates), layout, "chip")[0] == [{(0, 1_100, strand)}]
    ends = {
        (0, 1_019 if flags[0] & 16 else 1_000, strand),
        (0, 1_199 if flags[1] & 16 else 1_180, -1 if flags[1] & 16 else 1),
    }
    assert set().union(*places_of(write_alignments(mates), layout, "dnase")[0]) == ends


def test_nh_in_any_order_and_xa(record, write_alignments, layout):
    records = [
        record("a", 0, "c1", 100, "20M", "NH:i:2", "NM:i:0"),
        record("b", 16, "c1", 150, "20M", "NH:i:1"),
        record("a", 256 | 16, "c2", 300, "20M", "NH:i:2", "NM:i:1"),
    ]
    path = write_alignments(records, order="SO:coordinate")
    reads, fates = places_of(path, layout)
    assert fates == {"unique": 1, "multi": 1}
    assert {(0, 100, 1), (1, 319, -1)} in reads
    bwa = write_alignments(
        [
            record("a", 0, "c1", 100, "20M", "NM:i:0", "XA:Z:c2,+301,20M,1;c1,-151,4S16M,0;"),
            record("b", 0, "c2", 7, "20M", "XS:i:9"),
        ],
        "bwa.bam",
        order="SO:coordinate",
    )
    reads, fates = places_of(bwa, layout)
    assert reads == [{(0, 100, 1), (1, 300, 1), (0, 165, -1)}, {(1, 7, 1)}]
    assert fates == {"unique": 1, "multi": 1}


def test_differences_say_how_well_a_read_fits(record, write_alignments, layout):
    path = write_alignments(
        [
            record("a", 0, "c1", 100, "20M", "NM:i:2"),
            record("a", 256, "c2", 300, "20M", "NM:i:0"),
            record("b", 0, "c1", 400, "20M"),
            record("b", 256, "c2", 700, "20M"),
        ]
    )
    settings = coverage_settings("dnase")
    alignments = count_places(read_bam(path, layout, settings)[0], layout, settings)
    np.testing.assert_allclose(alignments.likelihood(0.1), [0.01, 1, 1, 1], rtol=1e-6)
    assert alignments.likelihood(1) is None


def test_not_grouped_and_without_nh(record, write_alignments, layout):
    records = [
        record("a", 0, "c1", 100),
        record("b", 0, "c1", 150),
        record("a", 256, "c2", 300),
    ]
    path = write_alignments(records, order="SO:coordinate")
    settings = coverage_settings("dnase")
    with pytest.raises(FormatError, match=r"do not stand together.*no NH tag.*samtools collate.*--group-by-name"):
        read_bam(path, layout, settings)
    reads, _ = read_bam(path, layout, settings, group_by_name=True)
    assert (reads.fates.unique, reads.fates.multi) == (1, 1)
    # Without secondary records order does not matter.
    reads, _ = read_bam(write_alignments(records[:2], "plain.bam", order="SO:coordinate"), layout, settings)
    assert reads.fates.unique == 2


def test_a_header_that_promises_too_much_is_not_believed_when_sorted(record, write_alignments, layout):
    records = [record("a", 0, "c1", 100), record("b", 0, "c1", 150), record("a", 256, "c2", 300)]
    path = write_alignments(records, order="SO:coordinate\tGO:query")
    with pytest.raises(FormatError, match="do not stand together"):
        read_bam(path, layout, coverage_settings("dnase"))


def test_bad_files(record, write_alignments, layout, tmp_path):
    settings = coverage_settings("dnase")
    empty = write_alignments([])
    with pytest.raises(DataError, match="no read in it"):
        read_bam(empty, layout, settings)
    unmapped = write_alignments([record("a", 4), record("b", 4)], "unmapped.bam")
    with pytest.raises(DataError, match=r"no read counts \(2 unmapped\).*of this genome"):
        read_bam(unmapped, layout, settings)
    low = write_alignments([record("a", 0, "c1", 5, mapq=2)], "low.bam")
    with pytest.raises(DataError, match=r"no read counts \(1 low mapq\).*lower min_mapq"):
        read_bam(low, layout, settings.model_copy(update={"min_mapq": 10}))
    other = write_alignments([record("a", 0, "c1", 5)], "other.bam", lengths={"c1": 60_001, "c2": 40_000})
    with pytest.raises(ContigError, match=r"contig 'c1' has 60,001 bp.*60,000 bp.*assembl"):
        read_bam(other, layout, settings)
    named = write_alignments([record("a", 0, "chr1", 5)], "named.bam", lengths={"chr1": 60_000})
    with pytest.raises(ContigError, match=r"contigs chr1; needed the genome's contigs c1, c2"):
        read_bam(named, layout, settings)
    with pytest.raises(FormatError, match="No such file"):
        read_bam(tmp_path / "none.bam", layout, settings)
    (tmp_path / "text.bam").write_text("hello\n")
    with pytest.raises(FormatError, match="neither BAM, CRAM nor SAM"):
        read_bam(tmp_path / "text.bam", layout, settings)


@pytest.mark.parametrize("assay", ["chip", "cage"])
def test_a_file_of_second_mates_alone_is_told_with_the_way_out(record, write_alignments, layout, assay):
    path = write_alignments([record(name, 147, "c1", 200, mate=("c1", 100), span=-120) for name in "ab"])
    with pytest.raises(DataError, match=r"2 records, none of them of read 1.*--set pairs=mates"):
        read_bam(path, layout, coverage_settings(assay))
    assert places_of(path, layout, "dnase")[1] == {"unique": 2}


def test_a_header_in_another_encoding_is_no_damage(record, write_alignments, layout):
    sam = write_alignments([record("a", 0, "c1", 5)], "x.sam")
    sam.write_bytes(sam.read_bytes().replace(b"VN:1.0\n", b"VN:1.0\tCL:caf\xe9\n"))
    with pytest.raises(FormatError, match=r"text in its header that is not UTF-8.*mend it with samtools reheader"):
        read_bam(sam, layout, coverage_settings("dnase"))


@pytest.mark.parametrize("share", [0.5, 0.9, 0.999])
def test_truncated(record, write_alignments, layout, share):
    rng = np.random.default_rng(1)
    path = write_alignments([record(f"r{n}", 0, "c1", int(rng.integers(59_000))) for n in range(20_000)])
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(FormatError, match=r"truncated.*needed a whole file; copy or make the file again"):
        read_bam(path, layout, coverage_settings("dnase"))
    # Also where the closing block is there but something before it is not.
    path.write_bytes(content[: int(share * len(content))] + content[-28:])
    with pytest.raises(FormatError, match=r"cannot be read to its end|damaged|cut off"):
        read_bam(path, layout, coverage_settings("dnase"))


def test_cram_says_the_same_and_needs_its_reference(genome, layout, tmp_path):
    rng = np.random.default_rng(2)
    bam = tmp_path / "reads.bam"
    header = {
        "HD": {"VN": "1.6", "SO": "unsorted", "GO": "query"},
        "SQ": [{"SN": name, "LN": length} for name, length in genome.lengths.items()],
    }
    sequence = dict(pair for pair in _sequences(genome))
    with pysam.AlignmentFile(str(bam), "wb", header=header) as out:
        for number in range(500):
            start = int(rng.integers(39_000))
            bases = list(sequence["c2"][start : start + 30])
            changed = int(rng.integers(3))
            for place in rng.choice(30, changed, replace=False):
                bases[place] = {"A": "C", "C": "G", "G": "T", "T": "A"}[bases[place]]
            fields = ["0", "c2", start + 1, "9", "30M", "*", "0", "0", "".join(bases), "I" * 30, f"NM:i:{changed}"]
            fields = ["0", "c2", start + 1, "9", "30M", "*", "0", "0", "".join(bases), "I" * 30, f"NM:i:{changed}"]
            text = "\t".join(map(str, [f"r{number}", *fields]))
            out.write(pysam.AlignedSegment.fromstring(text, out.header))
    cram = tmp_path / "reads.cram"
    pysam.view("--cram", "--reference", str(genome.path), "--output", str(cram), str(bam), catch_stdout=False)
    settings = coverage_settings("dnase")
    ours, _ = read_bam(cram, layout, settings, reference=genome.path)
    theirs, _ = read_bam(bam, layout, settings)
    for name in ("start", "length", "strand", "differences"):
        np.testing.assert_array_equal(ours.rows[name], theirs.rows[name], err_msg=name)
    other = tmp_path / "other.fa"
    other.write_text("".join(f">{name}\n{'ACGT' * (length // 4)}\n" for name, length in genome.lengths.items()))
    with pytest.raises(FormatError, match=r"cannot be decoded.*needed the FASTA that it was made with.*--reference"):
        read_bam(cram, layout, settings, reference=other)


def _sequences(genome):
    with pysam.FastxFile(str(genome.path)) as fasta:
        for contig in fasta:
            yield contig.name, contig.sequence


@given(seed=st.integers(0, 2**32 - 1), cuts=st.lists(st.integers(0, 20_000), max_size=6))
def test_records_do_not_depend_on_where_chunks_are_cut(seed, cuts, record, tmp_path_factory):
    rng = np.random.default_rng(seed)
    data, expected = _random_records(rng, tmp_path_factory.mktemp("cut"), record)
    pieces = [piece for piece in np.split(data, sorted({min(cut, len(data)) for cut in cuts})) if len(piece)]
    tally = Tally()
    settings = coverage_settings("dnase")
    contigs = {"c1": 0, "c2": 60_000}
    rows = np.concatenate([np.empty(0, ROW), *parse_records(pieces, contigs, settings, tally, where="x")])
    names = ("start", "length", "strand", "places", "differences")
    found = [tuple(int(row[name]) for name in names) for row in rows]
    assert found == expected
    assert tally.records == 40


def _random_records(rng, folder, record):
    """Raw bytes of 40 records and, for each mapped one, what it says, worked out here."""
    records, expected = [], []
    for number in range(40):
        if rng.random() < 0.1:
            records.append(record(f"read{number}", 4))
            continue
        parts = [(int(rng.integers(1, 30)), op) for op in rng.permutation(list("MIDNS=X"))[: rng.integers(1, 6)]]
        parts = [*((n, op) for n, op in parts if op != "S"), (5, "M")]
        chrom, start, reverse = ("c1", "c2")[rng.integers(2)], int(rng.integers(30_000)), bool(rng.integers(2))
        hits, edits = int(rng.integers(1, 300)), int(rng.integers(0, 70_000 if rng.random() < 0.1 else 5))
        edits = min(edits, 30_000)
        tags = [f"NH:i:{hits}", "XX:B:i,1,2,3", "XZ:Z:text", f"NM:i:{edits}", "XF:f:1.5"]
        rng.shuffle(tags)
        cigar = "".join(f"{n}{op}" for n, op in parts)
        records.append(record(f"read{number}", 16 * reverse, chrom, start, cigar, *tags))
        length = sum(n for n, op in parts if op in "MDN=X")
        expected.append((start + 60_000 * (chrom == "c2"), length, -1 if reverse else 1, hits, edits))
    sam = folder / "x.sam"
    lines = ["@HD\tVN:1.6", "@SQ\tSN:c1\tLN:60000", "@SQ\tSN:c2\tLN:40000", *("\t".join(map(str, r)) for r in records)]
    sam.write_text("\n".join(lines) + "\n")
    bam = folder / "x.bam"
    pysam.view("--bam", "--no-PG", "--output", str(bam), str(sam), catch_stdout=False)
    with pysam.BGZFile(str(bam), "r", None) as stream:
        content = stream.read()
    text = int.from_bytes(content[4:8], "little")
    at = 12 + text
    for _ in range(2):
        at += 8 + int.from_bytes(content[at : at + 4], "little")
    return np.frombuffer(content[at:], np.uint8), expected


@pytest.mark.parametrize("kind", ["gzip", "bgzip"])
def test_packed_sam(record, write_alignments, layout, kind, tmp_path):
    rng = np.random.default_rng(1)
    sam = write_alignments([record(f"r{n}", 0, "c1", int(rng.integers(59_000))) for n in range(3_000)], "x.sam")
    packed = tmp_path / "x.sam.gz"
    if kind == "gzip":
        packed.write_bytes(gzip.compress(sam.read_bytes()))
    else:
        pysam.tabix_compress(str(sam), str(packed))
    assert places_of(packed, layout) == places_of(sam, layout)
    packed.write_bytes(packed.read_bytes()[:-30])
    with pytest.raises(FormatError, match=r"truncated|cannot be"):
        read_bam(packed, layout, coverage_settings("dnase"))


def test_other_contigs_are_counted_not_used(record, write_alignments):
    layout = GenomeLayout.from_lengths({"c1": 60_000})
    path = write_alignments(
        [record("a", 0, "c1", 5), record("b", 0, "c2", 5), record("c", 0, "c2", 5), record("c", 256, "c1", 900)]
    )
    reads, fates = places_of(path, layout)
    assert reads == [{(0, 5, 1)}, {(0, 900, 1)}]
    assert fates == {"unique": 2, "other_contig": 1}


@pytest.mark.parametrize("kind", ["bam", "sam"])
def test_how_far_the_reading_is(record, write_alignments, layout, kind):
    path = write_alignments([record(f"r{n}", 0, "c1", 37 * n % 59_000) for n in range(30_000)], f"x.{kind}")
    read = []
    read_bam(path, layout, coverage_settings("dnase"), on_read=read.append)
    assert all(amount >= 0 for amount in read)
    assert sum(read) == pytest.approx(path.stat().st_size, rel=0.01)


def test_a_template_that_begins_before_its_contig_stays_on_it(record, write_alignments, layout):
    path = write_alignments([
        record("a", 83, "c2", 60, "20M", mate=("=", 0), span=-100), record("a", 163, "c2", 0, mate=("=", 60), span=100),
    ])  # fmt: skip
    settings = coverage_settings("chip", count="fragment", gc=False)
    reads, _ = read_bam(path, layout, settings)
    alignments = count_places(reads, layout, settings)
    assert (alignments.start.tolist(), alignments.length.tolist()) == ([60_000], [80])


def test_xa_of_pairs_makes_fragments_of_both_mates_places(record, write_alignments, layout):
    """bwa names the other places of each mate by itself: a fragment is where both have one, on either strand."""

    def pair(name, start, first_xa, second_xa, *, mapq=0):
        end = start + 150
        return [
            record(name, 99, "c1", start, "20M", "NM:i:0", *first_xa, mate=("=", end - 20), span=150, mapq=mapq),
            record(name, 147, "c1", end - 20, "20M", "NM:i:0", *second_xa, mate=("=", start), span=-150, mapq=mapq),
        ]

    path = write_alignments(
        [
            # Copies at c1:5,000 (forward, one difference in each mate) and c2:3,000 (reverse).
            *pair("a", 1_000, ["XA:Z:c1,+5001,20M,1;c2,-3131,20M,0;"], ["XA:Z:c2,+3001,20M,0;c1,-5131,20M,1;"]),
            # Read 1 has a copy elsewhere, its mate has none there: the pair's place is the only one.
            *pair("b", 2_000, ["XA:Z:c2,+20001,20M,0;"], [], mapq=40),
            # Mates' copies that are too far apart, on one strand, or turned away from each other are no fragment.
            *pair(
                "c",
                8_000,
                ["XA:Z:c2,+10001,20M,0;c2,+20001,20M,0;c2,+30001,20M,0;"],
                ["XA:Z:c2,-14001,20M,0;c2,+20131,20M,0;c2,-29801,20M,0;"],
                mapq=40,
            ),
            # Of two places of the mate the one counts that makes the fragment as long as the pair's own.
            *pair("d", 9_000, ["XA:Z:c2,+15001,20M,0;"], ["XA:Z:c2,-15531,20M,0;c2,-15129,20M,2;"]),
        ]
    )
    settings = coverage_settings("chip", gc=False)
    reads, _ = read_bam(path, layout, settings)
    assert (reads.fates.unique, reads.fates.multi) == (2, 2)
    alignments = count_places(reads, layout, settings)
    found = list(zip(alignments.start, alignments.length, alignments.strand, alignments.differences, strict=True))
    assert found == [
        (1_000, 150, 1, 0), (5_000, 150, 1, 2), (63_000, 150, -1, 0),
        (2_000, 150, 1, 0),
        (8_000, 150, 1, 0),
        (9_000, 150, 1, 0), (75_000, 148, 1, 2),
    ]  # fmt: skip


def test_a_fragment_does_not_span_two_contigs(record, write_alignments, layout):
    path = write_alignments([
        record("a", 99, "c1", 500, "20M", "XA:Z:c1,+59951,20M,0;", mate=("=", 630), span=150, mapq=20),
        record("a", 147, "c1", 630, "20M", "XA:Z:c2,-51,20M,0;", mate=("=", 500), span=-150, mapq=20),
    ])  # fmt: skip
    reads, fates = places_of(path, layout, "chip")
    assert (reads, fates) == ([{(0, 575, 1)}], {"unique": 1})


@pytest.mark.parametrize("order", ["SO:unsorted\tGO:query", "SO:coordinate"])
def test_mates_that_further_records_give_alone(record, write_alignments, layout, order):
    """minimap2 writes a record for each place of each mate, the further ones without the mark of a proper pair."""
    records = [
        record("a", 97 + 2, "c1", 1_000, "20M", "NM:i:0", mate=("=", 1_130), span=150, mapq=0),
        record("a", 145 + 2, "c1", 1_130, "20M", "NM:i:0", mate=("=", 1_000), span=-150, mapq=0),
        record("a", 353, "c1", 7_000, "20M", "NM:i:1", mate=("=", 1_130), span=-5_870),
        record("a", 401, "c1", 7_135, "20M", "NM:i:0", mate=("=", 1_000), span=6_155),
    ]
    path = write_alignments(records, order=order)
    assert places_of(path, layout, "chip") == ([{(0, 1_075, 1), (0, 7_077, 1)}], {"multi": 1})


@pytest.mark.parametrize("assay", ["chip", "cage", "dnase"])
def test_a_mate_is_where_the_other_tells(record, write_alignments, layout, assay):
    """Its further record, which NH counts, is a place of that mate alone: listed, and none of the pair's."""
    path = write_alignments([
        record("a", 99, "c1", 1_000, "20M", "NH:i:2", mate=("=", 1_130), span=150),
        record("a", 147, "c1", 1_130, "20M", "NH:i:1", mate=("=", 1_000), span=-150),
        record("a", 353, "c2", 7_000, "20M", "NH:i:2", mate=("c1", 1_130)),
    ])  # fmt: skip
    reads, fates = places_of(path, layout, assay)
    expected = {"chip": [{(0, 1_075, 1)}], "cage": [{(0, 1_000, 1)}], "dnase": [{(0, 1_000, 1)}, {(0, 1_149, -1)}]}
    assert (reads, fates) == (expected[assay], {"unique": len(reads)})


def test_mates_that_are_no_pair_have_places_of_their_own(record, write_alignments, layout):
    path = write_alignments([
        record("a", 65, "c1", 1_000, "20M", mate=("c2", 50)),
        record("a", 129, "c2", 50, "20M", mate=("c1", 1_000)),
        record("a", 321, "c2", 7_000, "20M", mate=("c2", 50)),
    ])  # fmt: skip
    assert places_of(path, layout)[0] == [{(0, 1_000, 1), (1, 7_000, 1)}, {(1, 50, 1)}]


SCORES = [
    (["AS:i:0", "XS:i:0"], 1, "places_not_listed"),  # Bowtie2 without -k: one of several at random
    (["AS:i:-5", "XS:i:-12"], 1, "unique"),
    (["AS:i:-12", "XS:i:-5"], 1, "places_not_listed"),
    (["AS:i:60", "XS:i:60"], 0, "places_not_listed"),  # bwa: more other places than its -h lists
    (["AS:i:60", "XS:i:300"], 0, "places_not_listed"),
    (["AS:i:60", "XS:i:0"], 60, "unique"),
    (["AS:i:0", "XS:i:0"], 42, "unique"),  # a mate whose pair fits in one place only
    (["AS:i:60", "XS:A:-"], 0, "unique"),  # a strand (STAR, HISAT2)
    (["AS:i:0", "XS:i:0", "NH:i:1"], 1, "unique"),
    (["XS:i:9"], 0, "unique"),
]


@pytest.mark.parametrize(("tags", "mapq", "fate"), SCORES)
def test_a_read_that_fits_elsewhere_as_well_is_not_taken_for_unique(record, write_alignments, layout, tags, mapq, fate):
    path = write_alignments([record("a", 0, "c1", 100, "20M", *tags, mapq=mapq), record("b", 0, "c1", 200)])
    _, fates = places_of(path, layout)
    assert fates == ({"unique": 2} if fate == "unique" else {"unique": 1, fate: 1})
    assert places_of(path, layout, keep_unlisted=True)[1] == {"unique": 2}


def test_places_that_stand_in_the_file_are_listed(record, write_alignments, layout):
    tied = ["AS:i:0", "XS:i:0"]
    path = write_alignments(
        [record("a", 0, "c1", 100, "20M", *tied, mapq=1), record("a", 256, "c2", 300, "20M", *tied, mapq=255)]
    )
    assert places_of(path, layout)[1] == {"multi": 1}


def test_reads_without_their_primary_record_do_not_count(record, write_alignments, layout):
    records = [record("a", 0, "c1", 100), record("b", 256, "c1", 150), record("b", 256, "c2", 300)]
    _, fates = places_of(write_alignments(records), layout)
    assert fates == {"unique": 1, "no_primary": 1}


def test_a_header_that_promises_too_much_is_not_believed(record, write_alignments, layout):
    """GO:query, but the records of a read stand apart: told by further places without their primary record."""
    records = [record("a", 0, "c1", 100), record("b", 0, "c1", 150), record("a", 256, "c2", 300)]
    with pytest.raises(FormatError, match="do not stand together"):
        read_bam(write_alignments(records), layout, coverage_settings("dnase"))
    with_nh = [[*fields, f"NH:i:{places}"] for fields, places in zip(records, (2, 1, 2), strict=True)]
    assert places_of(write_alignments(with_nh), layout)[1] == {"unique": 1, "multi": 1}
