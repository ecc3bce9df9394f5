"""What a comparison wrote, read back: intervals, differences, and tables that are not such."""

import math

import numpy as np
import pandas as pd
import pytest

from regact.errors import FormatError, RunError
from regact.report.comparison_tables import read_differences, read_intervals
from regact.report.sources import find_sources


def write(folder, name, rows):
    pd.DataFrame(rows).to_csv(folder / name, sep="\t", index=False)


def test_intervals_are_those_of_the_split(tmp_path):
    both = {"model": "a", "pearson": 0.5, "pearson_low": 0.4, "no_interval": ""}
    write(tmp_path, "summary.tsv", [both | {"split": s, "pearson_high": h} for s, h in (("valid", 0.6), ("test", 0.7))])
    found = read_intervals(tmp_path, "test")
    assert found.by_model == {"a": {"pearson": (0.4, 0.7)}}
    assert found.why_none == ""


def test_why_there_are_none_is_passed_on(tmp_path):
    row = {"split": "test", "pearson_low": "", "pearson_high": "", "no_interval": "3 blocks of the genome; needed 20"}
    write(tmp_path, "summary.tsv", [row | {"model": name} for name in "ab"])
    found = read_intervals(tmp_path, "test")
    assert found.why_none == "3 blocks of the genome; needed 20"
    assert np.isnan(found.by_model["a"]["pearson"]).all()
    assert "did not judge its models on split valid" in read_intervals(tmp_path, "valid").why_none
    assert "no summary.tsv" in read_intervals(tmp_path / "other", "test").why_none


def test_differences_hold_in_both_directions(tmp_path):
    row = {
        "split": "test",
        "measure": "pearson",
        "model": "a",
        "other": "b",
        "difference": 0.1,
        "low": 0.0,
        "differs": True,
    }
    rows = [row, row | {"other": "c", "differs": False}, row | {"measure": "r2", "other": "c", "difference": 9}]
    rows.append(row | {"split": "valid", "low": math.nan})
    write(tmp_path, "differences.tsv", rows)
    found = read_differences(tmp_path, "test", "pearson", ("b", "a", "c"))
    np.testing.assert_array_equal(
        found.difference, [[np.nan, -0.1, np.nan], [0.1, np.nan, 0.1], [np.nan, -0.1, np.nan]]
    )
    assert found.differs.tolist() == [[False, True, False], [True, False, False], [False, False, False]]
    assert read_differences(tmp_path, "valid", "pearson", ("a", "b")) is None
    assert read_differences(tmp_path / "none", "test", "pearson", ("a", "b")) is None


def test_a_comparison_names_its_models_and_runs(tmp_path):
    rows = [{"model": "4-mer ridge", "run": ""}]
    rows += [{"model": m, "run": f"runs/{m}_seed{s}"} for s in (0, 1) for m in "ab" for _ in ("valid", "test")]
    write(tmp_path, "results.tsv", rows)
    sources = find_sources([tmp_path])
    assert sources.comparison == tmp_path
    assert sources.by_label == {m: [tmp_path / f"runs/{m}_seed{s}" for s in (0, 1)] for m in "ab"}
    with pytest.raises(RunError, match="beside others"):
        find_sources([tmp_path, tmp_path / "runs/a_seed0"])
    with pytest.raises(ValueError, match="at least one"):
        find_sources([])


def test_names_that_look_like_numbers_or_like_nothing_stay_names(tmp_path):
    """Models are called by their number of heads, say; without a floor beside them no other name tells."""
    write(tmp_path, "results.tsv", [{"model": name, "run": f"runs/{name}"} for name in ("05", "16", "NA")])
    assert find_sources([tmp_path]).labels == ("05", "16", "NA")
    row = {"split": "test", "pearson_low": 0.1, "pearson_high": 0.2, "no_interval": ""}
    write(tmp_path, "summary.tsv", [row | {"model": name} for name in ("05", "16", "NA")])
    assert list(read_intervals(tmp_path, "test").by_model) == ["05", "16", "NA"]
    row = {"split": "test", "measure": "r2", "model": "05", "difference": 0.1, "low": 0.0, "differs": True}
    write(tmp_path, "differences.tsv", [row | {"other": name} for name in ("16", "NA")])
    found = read_differences(tmp_path, "test", "r2", ("05", "16", "NA"))
    assert found.differs[0].tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "unreadable"), ("model\tsplit\n", "no column run"), ("model\trun\nfloor\t\n", "no model in it")],
)
def test_tables_that_are_not_a_comparison_s_are_refused(tmp_path, text, said):
    (tmp_path / "results.tsv").write_text(text)
    with pytest.raises(FormatError, match=said):
        find_sources([tmp_path])
