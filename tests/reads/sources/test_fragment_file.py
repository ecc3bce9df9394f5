"""Fragment files: as a plain reading of their lines has it, and every way in which they can be wrong."""

import gzip
from collections import Counter, defaultdict

import numpy as np
import pysam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.errors import ConfigError, ContigError, DataError, FormatError
from regact.genome import parse_contig_alias
from regact.reads import GenomeLayout, count_places, coverage_settings, read_bam
from regact.reads.sources import fragment_file
from regact.reads.sources.barcode_groups import BarcodeGroups
from regact.reads.sources.fragment_file import is_fragment_file, read_fragments
from regact.reads.sources.fragment_places import fragment_places, settings_of_fragments

LAYOUT = GenomeLayout.from_lengths({"c1": 60_000, "c2": 40_000})
GROUPS = BarcodeGroups("cells.tsv", ("x", "y"), {"AA": 0, "CC": 1, "GG": 0})
HEADER = "# id=sample#1\n# primary_contig=c1\n"


def write(path, rows, header=HEADER):
    text = header + "".join("\t".join(map(str, row)) + "\n" for row in rows)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


@given(seed=st.integers(0, 2**32 - 1), at_once=st.integers(1, 50), columns=st.sampled_from([4, 5, 6]))
def test_fragments_by_group(seed, at_once, columns, tmp_path_factory):
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(rng.integers(1, 60)):
        start = int(rng.integers(39_000))
        barcode = str(rng.choice(["AA", "CC", "GG", "S#TT"]))
        rows.append(
            (
                str(rng.choice(["c1", "c2", "scaffold"])),
                start,
                start + int(rng.integers(1, 900)),
                barcode,
                int(rng.integers(1, 5)),
                "+",
            )[:columns]
        )
    rows.append(("c1", 5, 7, "AA", 2, "-")[:columns])
    path = write(tmp_path_factory.mktemp("f") / "fragments.tsv.gz", rows)
    expected = defaultdict(list)
    for chrom, start, end, barcode, *copies in rows:
        place = {"c1": start, "c2": 60_000 + start, "scaffold": -1}[chrom]
        expected[GROUPS.group_of.get(barcode)].append((place, end - start, copies[0] if copies else 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fragment_file, "_ROWS_AT_ONCE", at_once)
        assert is_fragment_file(path)
        found = read_fragments(path, LAYOUT, GROUPS)
        everything = read_fragments(path, LAYOUT)
    for group in (0, 1):
        part = found.of_group(group)
        rows_of_part = list(zip(part.start.tolist(), part.length.tolist(), part.copies.tolist(), strict=True))
        assert rows_of_part == expected[group]
    assert found.n_ungrouped == len(expected[None])
    assert len(everything) == len(rows)
    seen = {row[3] for row in rows}
    assert found.cells.tolist() == [len(seen & {"AA", "GG"}), len(seen & {"CC"})]


def test_a_group_for_each_of_many_cells(tmp_path):
    names = tuple(f"cell{number}" for number in range(40_000))
    cells = BarcodeGroups("cells.tsv", names, {name: number for number, name in enumerate(names)})
    path = write(tmp_path / "fragments.tsv", [("c1", 5, 80, "cell39999", 1), ("c1", 9, 70, "cell0", 1)])
    found = read_fragments(path, LAYOUT, cells)
    assert found.of_group(39_999).start.tolist() == [5]
    assert found.of_group(0).start.tolist() == [9]


def test_they_count_as_the_bam_that_they_were_made_from(record, write_alignments, layout, tmp_path):
    rng = np.random.default_rng(3)
    records, rows = [], []
    for number in range(300):
        start, span = int(rng.integers(30_000)), int(rng.integers(60, 400))
        end, copies = start + span, int(rng.integers(1, 4))
        for copy in range(copies):
            flag = 1024 if copy else 0
            name = f"{number}.{copy}"
            records.append(record(name, 99 | flag, "c2", start, mate=("=", end - 20), span=span))
            records.append(record(name, 147 | flag, "c2", end - 20, mate=("=", start), span=-span))
        rows.append(("c2", start + 4, end - 5, "AA", copies))  # as 10x shifts them
    path = write(tmp_path / "fragments.tsv", rows)
    bam = write_alignments(records)
    for replaced in (
        {},
        {"keep_duplicates": True},
        {"count": "centre", "pairs": "fragment", "shift_forward_bp": 0, "shift_reverse_bp": 0, "max_fragment_bp": 300},
    ):
        settings = coverage_settings("atac", **replaced)
        theirs, _ = read_bam(bam, layout, settings)
        ours = fragment_places(read_fragments(path, layout), settings_of_fragments(settings, where=path), where=path)
        places = [
            count_places(reads, layout, chosen)
            for reads, chosen in ((theirs, settings), (ours, settings_of_fragments(settings, where=path)))
        ]
        if settings.count == "five_prime":
            assert Counter(places[0].place.tolist()) == Counter(places[1].place.tolist())
            assert theirs.fates == ours.fates
        else:  # the shifted fragment is 9 bases shorter
            assert ours.fates.fragment_length <= theirs.fates.fragment_length
            assert ours.fates.total == theirs.fates.total - theirs.fates.duplicate + ours.fates.duplicate


def test_ends_that_are_not_shifted_yet(tmp_path):
    settings = coverage_settings("atac", fragment_ends_shifted=False)
    path = write(tmp_path / "f.tsv", [("c1", 100, 200, "AA", 1)])
    acting = settings_of_fragments(settings, where=path)
    places = count_places(fragment_places(read_fragments(path, LAYOUT), acting, where=path), LAYOUT, acting)
    assert places.place.tolist() == [104, 194]
    assert settings_of_fragments(coverage_settings("atac"), where=path).shift_forward_bp == 0


def test_what_a_fragment_file_cannot_say():
    with pytest.raises(ConfigError) as caught:
        settings_of_fragments(coverage_settings("cage"), where="f.tsv")
    assert len(caught.value.problems) == 2
    assert "pairs=mates" in caught.value.problems[1]
    with pytest.raises(ConfigError, match="no 5' end; set pairs=mates for both its ends, or count=centre"):
        settings_of_fragments(coverage_settings("dnase", pairs="fragment"), where="f.tsv")
    assert settings_of_fragments(coverage_settings("chip"), where="f.tsv").count == "centre"


def test_no_fragment_left(tmp_path):
    path = write(tmp_path / "f.tsv", [("c1", 100, 900, "AA", 1)])
    settings = coverage_settings("atac", max_fragment_bp=500)
    with pytest.raises(DataError, match=r"no fragment counts \(2 fragment length\)"):
        fragment_places(read_fragments(path, LAYOUT), settings, where=path)


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (("c1", "x", 9, "AA", 1), 5),
        (("c1", -5, 9, "AA", 1), 5),
        (("c1", 9, 9, "AA", 1), 5),
        (("c1", 5, 9, "AA", "many"), 5),
        (("c1", 5, 9), 5),
        (("c1", 5, 9, "AA", 0), 5),
    ],
)
def test_a_bad_row_is_named_with_its_line(tmp_path, row, line):
    path = write(tmp_path / "f.tsv", [("c1", 1, 2, "AA", 1), ("c1", 2, 3, "CC", 1), row, ("c1", 7, 8, "AA", 1)])
    with pytest.raises(FormatError, match=rf"f\.tsv, line {line}: .*needed a fragment: contig, start, end, barcode"):
        read_fragments(path, LAYOUT)


@pytest.mark.parametrize("pack", ["", ".gz"])
def test_files_put_together_have_a_header_in_their_middle(tmp_path, pack):
    one, two = (write(tmp_path / f"{name}.tsv{pack}", [("c1", 1, 9, "AA", 1)]) for name in "ab")
    one.write_bytes(one.read_bytes() + two.read_bytes())
    with pytest.raises(FormatError, match=r"a\.tsv.*, line 4: '# id=sample#1'; .*remove it: lines with # stand at the"):
        read_fragments(one, LAYOUT)
    plain = write(tmp_path / f"c.tsv{pack}", [("c1", 1, 9, "AA", 1)], header="")
    two.write_bytes(two.read_bytes() + plain.read_bytes())
    assert len(read_fragments(two, LAYOUT)) == 2


def test_files_of_another_genome(tmp_path):
    rows = [("chrI", 1, 2, "AA", 1)]
    with pytest.raises(ContigError, match="contigs chrI"):
        read_fragments(write(tmp_path / "f.tsv", rows), LAYOUT)
    with pytest.raises(ContigError, match=r"a fragment on c2 ends at 40,001; needed 40,000 bp"):
        read_fragments(write(tmp_path / "g.tsv", [("c1", 1, 2, "AA", 1), ("c2", 39_990, 40_001, "AA", 1)]), LAYOUT)
    (tmp_path / "alias.tsv").write_text("chrI\tc2\n")
    alias = parse_contig_alias(tmp_path / "alias.tsv")
    assert read_fragments(write(tmp_path / "f.tsv", rows), LAYOUT, alias=alias).start.tolist() == [60_001]


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(FormatError, match="no such file"):
        read_fragments(tmp_path / "none.tsv.gz", LAYOUT)
    with pytest.raises(DataError, match="no fragment in it"):
        read_fragments(write(tmp_path / "e.tsv", []), LAYOUT)
    with pytest.raises(DataError, match=r"none of its barcodes, such as TT-1, is in cells.tsv; needed such as AA"):
        read_fragments(write(tmp_path / "b.tsv", [("c1", 1, 2, "TT-1", 1)]), LAYOUT, GROUPS)
    rows = [("c1", n, n + 50, "AA", 1) for n in range(20_000)]
    cut = write(tmp_path / "cut.tsv.gz", rows)
    cut.write_bytes(cut.read_bytes()[:-300])
    with pytest.raises(FormatError, match="cannot be read to its end"):
        read_fragments(cut, LAYOUT)
    packed = tmp_path / "bgzf.tsv.gz"
    pysam.tabix_compress(str(write(tmp_path / "x.tsv", rows)), str(packed))
    assert len(read_fragments(packed, LAYOUT)) == 20_000
    packed.write_bytes(packed.read_bytes()[:-28])
    with pytest.raises(FormatError, match="truncated"):
        read_fragments(packed, LAYOUT)


def test_alignments_and_text_are_no_fragment_files(record, write_alignments, tmp_path):
    assert not is_fragment_file(write_alignments([record("a", 0, "c1", 5)]))
    assert not is_fragment_file(write_alignments([record("a", 0, "c1", 5)], "x.sam"))
    (tmp_path / "x.txt").write_text("a\tb\tc\td\n")
    assert not is_fragment_file(tmp_path / "x.txt")
    assert not is_fragment_file(tmp_path / "none")
