"""Tables of barcodes and groups: read as they come, all that is wrong told at once."""

import gzip

import pytest

from regact.errors import ConfigError, FormatError
from regact.reads.sources.barcode_groups import read_barcode_groups


def table(tmp_path, text, pack=False):
    path = tmp_path / "cells.tsv"
    path.write_bytes(gzip.compress(text.encode()) if pack else text.encode())
    return path


@pytest.mark.parametrize("separator", ["\t", ","])
@pytest.mark.parametrize("header", ["", "barcode{}cluster\n", "# made by hand\nCell{}x\n"])
@pytest.mark.parametrize("pack", [False, True])
def test_tabs_or_commas_with_or_without_header(tmp_path, separator, header, pack):
    rows = ["AAAC-1{}CD4 T", "AAAG-1{}B/NK{}further", '"AAAT-1"{}"CD4 T"', ""]
    text = header.replace("{}", separator) + "\n".join(rows).replace("{}", separator)
    groups = read_barcode_groups(table(tmp_path, text, pack))
    assert groups.names == ("CD4 T", "B/NK")
    assert groups.file_names == ("CD4_T", "B_NK")
    assert groups.group_of == {"AAAC-1": 0, "AAAG-1": 1, "AAAT-1": 0}


def test_all_that_is_wrong_is_told(tmp_path):
    text = "A\tx\nB\nC\t\nA\ty\nD\tx y\nE\tx_y\nF\tX\n"
    with pytest.raises(ConfigError) as caught:
        read_barcode_groups(table(tmp_path, text))
    assert caught.value.problems == (
        "line 2: needed a barcode and a group with a tab or a comma between",
        "line 3: needed a barcode and a group with a tab or a comma between",
        "line 4: A is in 'y' here and in another group above",
        "groups 'x y' and 'x_y' would both be written as x_y",
        "groups 'x' and 'X' would both be written as X",
    )
    with pytest.raises(ConfigError, match="and 30 problems more"):
        read_barcode_groups(table(tmp_path, "A\n" * 50))


def test_empty_or_missing(tmp_path):
    with pytest.raises(ConfigError, match="no barcode in it"):
        read_barcode_groups(table(tmp_path, "barcode\tgroup\n"))
    with pytest.raises(FormatError, match="cannot be read"):
        read_barcode_groups(tmp_path / "none.tsv")
