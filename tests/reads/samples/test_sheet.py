"""The sample sheet: what its columns mean, and every slip told at once."""

import pytest

from regact.errors import ConfigError, FormatError
from regact.reads import read_sample_sheet


@pytest.fixture
def sheet(tmp_path):
    for name in ("a.bam", "b.bam", "f.tsv.gz", "cells.tsv"):
        (tmp_path / name).touch()

    def write(*rows):
        path = tmp_path / "samples.tsv"
        path.write_text("".join("\t".join(row) + "\n" for row in rows))
        return path

    return write


def test_rows(sheet, tmp_path):
    path = sheet(
        ("sample", "file", "assay", "clip", "em_sd_bp", "gc", "groups", "description", "donor"),
        ("one", "a.bam", "CAGE", "", "", "", "", "liver", "d1"),
        ("two", str(tmp_path / "b.bam"), "", "8", "32", "false", "", "", ""),
        ("cells", "f.tsv.gz", "atac", "", "", "", "cells.tsv"),
    )
    one, two, cells = read_sample_sheet(path, assay="chip", replaced={"clip": 3, "max_places": 5})
    assert (one.name, one.file, one.settings.assay, one.settings.clip) == ("one", tmp_path / "a.bam", "CAGE", 3)
    assert (one.description, one.annotations, one.groups) == ("liver", (("donor", "d1"),), None)
    assert (two.settings.assay, two.settings.clip, two.settings.em_sd_bp, two.settings.gc) == ("CHIP", 8, 32.0, False)
    assert two.settings.max_places == 5
    assert cells.groups == tmp_path / "cells.tsv"


def test_everything_wrong_is_told_at_once(sheet):
    path = sheet(
        ("sample", "file", "assay", "clip", "groups"),
        ("a b", "a.bam", "dnase", "", ""),
        ("x", "none.bam", "", "", "none.tsv"),
        ("y", "", "rna", "", ""),
        ("z", "a.bam", "atac", "one", ""),
        ("Z", "b.bam", "atac", "1", ""),
    )
    with pytest.raises(ConfigError) as caught:
        read_sample_sheet(path)
    text = "\n".join(caught.value.problems)
    for part in (
        "line 2 (a b): sample 'a b'; needed letters",
        "none.bam does not exist",
        "none.tsv does not exist",
        "line 3 (x): assay is empty; name it here or with --assay",
        "line 4 (y): file is empty",
        "line 4 (y): unknown 'rna'; needed one of cage, dnase, atac, chip",
        "line 5 (z): clip: Input should be a valid integer",
        "line 6 (Z): clip: Input should be greater than or equal to 2",
        "sample 'z' stands there 2 times",
    ):
        assert part in text, part


def test_slips_in_column_names(sheet):
    with pytest.raises(ConfigError, match=r"column 'file' is missing.*unknown column 'fille'; did you mean 'file'"):
        read_sample_sheet(sheet(("sample", "fille"), ("a", "a.bam")))
    with pytest.raises(ConfigError, match="did you mean 'em_sd_bp'"):
        read_sample_sheet(sheet(("sample", "file", "em_sdbp"), ("a", "a.bam", "3")), assay="atac")


def test_no_sheet(tmp_path, sheet):
    with pytest.raises(FormatError, match=r"no such file; needed a sample sheet \(TSV\)"):
        read_sample_sheet(tmp_path / "none.tsv")
    with pytest.raises(ConfigError, match="the sample sheet is empty: a header line and at least one sample"):
        read_sample_sheet(sheet(("sample", "file")))
