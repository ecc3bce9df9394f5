"""The track sheet: what it means, and every mistake in it told at once."""

import numpy as np
import pandas as pd
import pytest

from regact.errors import ConfigError, FormatError
from regact.tracks import Track, read_track_sheet

HEADER = "index\tidentifier\tfile\tclip\tclip_soft\tscale\tsum_stat\tstrand_pair\tdescription\n"


@pytest.fixture
def sheet(tmp_path):
    """Writes a sheet beside its signal files (content is of no concern here) and returns its path."""
    (tmp_path / "tracks").mkdir()
    for name in "abcdef":
        (tmp_path / "tracks" / f"{name}.bw").touch()

    def write(text, name="targets.txt"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def problems_of(path, **options):
    with pytest.raises(ConfigError) as caught:
        read_track_sheet(path, **options)
    assert caught.value.where == str(path)
    return caught.value.problems


def test_a_whole_sheet(sheet, tmp_path):
    path = sheet(
        HEADER
        + "0\tplus\ttracks/a.bw\t384\t32\t0.5\tsum_sqrt\t1\tCAGE:liver\n"
        + "1\tminus\ttracks/b.bw,tracks/c.bw\t384\t32\t0.5\tsum_sqrt\t0\tCAGE:liver\n"
        + "2\topen\ttracks/d.bw\t\t\t\tavg\t2\tDNASE:liver\n"
    )
    found = read_track_sheet(path)
    assert len(found) == 3
    assert found.path == path
    assert found.identifiers == ("plus", "minus", "open")
    assert found.assays == ("CAGE", "CAGE", "DNASE")
    assert found.strand_pair.tolist() == [1, 0, 2]
    assert found.strand_pair.dtype == np.int64
    assert found.tracks[1] == Track(
        identifier="minus",
        files=(tmp_path / "tracks/b.bw", tmp_path / "tracks/c.bw"),
        clip=384.0,
        clip_soft=32.0,
        scale=0.5,
        sum_stat="sum_sqrt",
        strand_pair=0,
        description="CAGE:liver",
    )
    assert found.tracks[2] == Track(
        "open", (tmp_path / "tracks/d.bw",), sum_stat="mean", strand_pair=2, description="DNASE:liver"
    )


def test_two_columns_are_enough(sheet):
    found = read_track_sheet(sheet("identifier\tfile\na\ttracks/a.bw\n\nb\ttracks/b.bw\n"))
    assert found.strand_pair.tolist() == [0, 1]
    assert [(t.scale, t.sum_stat, t.clip, t.clip_soft) for t in found.tracks] == [(1.0, "sum", None, None)] * 2
    assert found.assays == ("OTHER", "OTHER")


def test_basenjis_own_files_are_read_as_they_are(sheet):
    """A first column without a name, a `genome` column, a subset whose index has holes, a byte-order mark."""
    text = "\tgenome\tidentifier\tfile\tclip\tscale\tsum_stat\tstrand_pair\tdescription\n"
    text += "17\t0\tENCFF1\ttracks/a.bw\t32\t2\tmean\t17\tDNASE:x\n40\t0\tCNhs+\ttracks/b.bw\t384\t1\tsum\t41\tCAGE:y\n"
    text += "41\t0\tCNhs-\ttracks/c.bw\t384\t1\tsum\t40\tCAGE:y\n"
    found = read_track_sheet(sheet("\ufeff" + text))
    assert found.strand_pair.tolist() == [0, 2, 1]
    assert found.tracks[0].annotations == (("genome", "0"),)
    assert found.to_table()["genome"].tolist() == ["0"] * 3


def test_relative_paths_start_at_the_sheet_and_absolute_ones_stay(sheet, tmp_path, monkeypatch):
    path = sheet(f"identifier\tfile\na\ttracks/a.bw, {tmp_path}/tracks/b.bw\n")
    monkeypatch.chdir("/")
    assert read_track_sheet(path).tracks[0].files == (tmp_path / "tracks/a.bw", tmp_path / "tracks/b.bw")


def test_every_problem_is_told_at_once(sheet):
    path = sheet(
        HEADER
        + "0\ta\ttracks/a.bw\t10\t20\t1\tsum\t0\t\n"
        + "1\ta\ttracks/none.bw\t-1\t\t0\tpeak\t9\t\n"
        + "1\t\t\t1e999\tmany\tinf\tsum_sqr\t0\t\n"
    )
    problems = problems_of(path)
    for wanted in (
        "line 2 (a): clip_soft 20 is greater than clip 10; needed clip_soft <= clip",
        "line 3 (a): scale is 0; needed a factor other than 0",
        "line 3 (a): clip is -1; needed a number > 0, or nothing for no limit",
        "line 3 (a): sum_stat 'peak' is Basenji's, not carried out here; needed one of sum, mean, max, sum_sqrt, "
        "sum_exp75; nearest: mean with a clip",
        f"line 3 (a): file {path.parent}/tracks/none.bw does not exist",
        "line 4 (no identifier): identifier is empty",
        "line 4 (no identifier): file is empty",
        "line 4 (no identifier): scale 'inf' is not a number",
        "line 4 (no identifier): clip '1e999' is not a number",
        "line 4 (no identifier): clip_soft 'many' is not a number",
        "line 4 (no identifier): sum_stat 'sum_sqr' is unknown; needed one of sum, mean, max, sum_sqrt, sum_exp75; "
        "nearest: sum_sqrt",
        "identifier 'a' stands on lines 2, 3; needed unique identifiers",
        "line 4: index 1 stands there twice",
        "line 3 (a): strand_pair 9 is not the index of a row (0 to 1)",
    ):
        assert wanted in problems
    assert any("strand_pair is a, whose own strand_pair is a" in problem for problem in problems)
    assert len(problems) == 15


def test_strand_pairs_must_name_each_other(sheet):
    path = sheet(
        "identifier\tfile\tstrand_pair\na\ttracks/a.bw\t1\nb\ttracks/b.bw\t2\nc\ttracks/c.bw\t1\nd\ttracks/d.bw\t-1\n"
    )
    assert problems_of(path) == (
        "line 5 (d): strand_pair -1 is not the index of a row (0 to 3)",
        "line 2 (a): strand_pair is b, whose own strand_pair is c; needed rows that name each other",
    )


def test_mistyped_columns_get_the_nearest_valid_name(sheet):
    path = sheet("identifer\tfile\tstrandpair\tclip_sotf\tcell_type\na\ttracks/a.bw\t0\t1\tliver\n")
    assert problems_of(path) == (
        "column 'identifier' is missing",
        "unknown column 'identifer'; did you mean 'identifier'?",
        "unknown column 'strandpair'; did you mean 'strand_pair'?",
        "unknown column 'clip_sotf'; did you mean 'clip_soft'?",
    )


def test_an_open_quote_swallows_no_track(sheet):
    text = 'identifier\tfile\tdescription\na\ttracks/a.bw\t"5 prime\nb\ttracks/b.bw\tCAGE:x\n'
    assert problems_of(sheet(text))[0].startswith("row 2: a double quote is not closed")
    closed = text.replace('"5 prime', '"5"" prime"')
    assert [track.description for track in read_track_sheet(sheet(closed)).tracks] == ['5" prime', "CAGE:x"]


def test_other_columns_are_kept_as_annotations(sheet):
    found = read_track_sheet(sheet("identifier\tfile\tcell_type\na\ttracks/a.bw\tliver\n"))
    assert found.tracks[0].annotations == (("cell_type", "liver"),)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty"),
        (HEADER, "empty"),
        ("identifier,file\na,b\n", "separated by tabs"),
        ("identifier\tfile\tfile\na\ttracks/a.bw\t\n", "'file' stands there twice"),
        ("identifier\tfile\na\ttracks/a.bw\tmore\n", "line 2: 3 fields under 2 columns"),
        ("index\tidentifier\tfile\nx\ta\ttracks/a.bw\n", "line 2: index 'x' is not a whole number"),
    ],
)
def test_tables_that_are_no_sheet(sheet, text, problem):
    assert any(problem in found for found in problems_of(sheet(text)))


def test_files_that_are_no_table(tmp_path):
    with pytest.raises(FormatError, match="no such file"):
        read_track_sheet(tmp_path / "none.txt")
    (tmp_path / "binary.txt").write_bytes(b"\x89PNG\xff\xfe\x00")
    with pytest.raises(FormatError, match="not a text table"):
        read_track_sheet(tmp_path / "binary.txt")
    with pytest.raises(FormatError, match="cannot be read"):
        read_track_sheet(tmp_path)


@pytest.fixture
def many(sheet):
    rows = [
        "plus\ttracks/a.bw\t1\tCAGE:liver",
        "minus\ttracks/b.bw\t0\tCAGE:liver",
        "k4\ttracks/c.bw\t2\tCHIP:H3K4me3:liver",
    ]
    rows += ["k27\ttracks/d.bw\t3\tCHIP:H3K27ac:brain", "CAGE\ttracks/e.bw\t4\tDNASE:brain"]
    return read_track_sheet(sheet("identifier\tfile\tstrand_pair\tdescription\n" + "\n".join(rows) + "\n"))


@pytest.mark.parametrize(
    ("patterns", "rows"),
    [
        ("k4", [2]),
        ("CHIP", [2, 3]),
        ("CHIP:H3K4me3", [2]),
        ("brain$", [3, 4]),
        ("^k", [2, 3]),
        (["k27", "plus", "minus", "k27"], [0, 1, 3]),
        ("CAGE", [4]),  # an identifier goes before an assay
        (["DNASE", "^(plus|minus)$"], [0, 1, 4]),
    ],
)
def test_tracks_are_chosen_by_identifier_assay_or_expression(many, patterns, rows):
    assert many.rows(patterns).tolist() == rows
    chosen = many.select(patterns)
    assert chosen.identifiers == tuple(many.identifiers[row] for row in rows)
    assert [chosen.identifiers[pair] for pair in chosen.strand_pair] == [
        many.identifiers[many.strand_pair[row]] for row in rows
    ]


def test_what_fits_no_track_is_told_with_the_nearest(many):
    with pytest.raises(ConfigError, match="no track fits 'CHP'; nearest: CHIP") as caught:
        many.rows(["CHP", "plus", "[", "k44"])
    assert len(caught.value.problems) == 3


def test_a_strand_pair_is_not_torn_apart(many):
    assert many.rows("plus").tolist() == [0]
    with pytest.raises(ConfigError, match="plus is chosen without its strand pair minus"):
        many.select("plus")


def test_a_written_sheet_is_the_same_and_can_move(sheet, tmp_path):
    first = read_track_sheet(
        sheet(
            HEADER.replace("\n", "\tcell\n") + "0\ta\ttracks/a.bw,/elsewhere/x.bw\t5.5\t\t1e-3\tmax\t0\tCAGE:x\tliver\n"
        ),
        check_files=False,
    )
    first.write(tmp_path / "again.txt")
    assert read_track_sheet(tmp_path / "again.txt", check_files=False).tracks == first.tracks
    assert "\ttracks/a.bw,/elsewhere/x.bw\t" in (tmp_path / "again.txt").read_text()
    first.write(tmp_path / "other" / "again.txt")
    assert read_track_sheet(tmp_path / "other" / "again.txt", check_files=False).tracks == first.tracks


def test_the_table_has_a_row_per_track(many):
    table = many.to_table()
    assert isinstance(table, pd.DataFrame)
    assert list(table.columns) == HEADER.split()
    assert table["identifier"].tolist() == list(many.identifiers)
    assert table["clip"].isna().all()
