"""`regact dataset import-basenji` and `import-basenji-h5` from the command line: what they print and how they fail."""

import json

import h5py
import numpy as np
import pytest

from regact.cli.app import main


@pytest.fixture
def paper_file(tmp_path):
    """A file of the paper's layout with one sequence a set."""
    with h5py.File(tmp_path / "small.h5", "w") as file:
        file["pool_width"] = 32
        file["target_ids"], file["target_labels"] = np.array(["a"], "S"), np.array(["CAGE:x"], "S")
        for split in ("train", "valid", "test"):
            bases = np.zeros((1, 64, 4), bool)
            bases[:, :, 2] = True
            file[f"{split}_in"], file[f"{split}_na"] = bases, np.zeros((1, 2), bool)
            file[f"{split}_out"] = np.ones((1, 2, 1), np.float16)
    return tmp_path / "small.h5"


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return ended.value.code


def test_differences_from_the_paper_and_the_leak_are_printed(paper_file, tmp_path, capsys):
    assert run("dataset", "import-basenji-h5", paper_file, tmp_path / "store", "--workers", 1) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{tmp_path / 'store'}\n"
    for line in (
        "not the paper's data: 1 CAGE tracks; the paper has 973",
        "drawn window by window",
        "windows: 1 train, 1",
    ):
        assert line in printed.err
    assert run("dataset", "info", tmp_path / "store") == 0
    shown = capsys.readouterr().out
    assert f"basenji_h5, {paper_file}" in shown
    assert "drawn window by window" in shown
    assert "only the windows' bases, kept in the store" in shown


def test_a_directory_of_something_else_is_one_line(tmp_path, capsys):
    (tmp_path / "statistics.json").write_text(json.dumps({"num_targets": 3}))
    assert run("dataset", "import-basenji", tmp_path, tmp_path / "store") == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith(f"regact: error: {tmp_path}/statistics.json: seq_length: Field required")
