"""Judgements are remembered as long as the code that made them is the same."""

import re
import shutil
from pathlib import Path

import pytest

import regact
from regact.evaluation.code_digest import DECIDES, code_digest


@pytest.fixture
def package(tmp_path):
    copy = tmp_path / "regact"
    shutil.copytree(Path(regact.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def test_a_copy_has_the_same(package):
    assert code_digest(package) == code_digest()


@pytest.mark.parametrize(
    "file", ["metrics.py", "model/context/attention.py", "evaluation/peaks.py", "training/validate.py"]
)
def test_another_formula_is_another_code(package, file):
    with (package / file).open("a") as source:
        source.write("\n")
    assert code_digest(package) != code_digest()


def test_nothing_that_judging_imports_is_left_out():
    package = Path(regact.__file__).parent
    parts = {part.removesuffix(".py") for part in DECIDES}
    imported = set()
    for part in map(package.joinpath, DECIDES):
        for file in part.rglob("*.py") if part.is_dir() else [part]:
            imported |= set(re.findall(r"^from regact\.(\w+)", file.read_text(), flags=re.MULTILINE))
    assert imported - parts == {"errors", "settings", "plot"}


def test_a_command_decides_nothing(package):
    (package / "cli/evaluate.py").unlink()
    assert code_digest(package) == code_digest()
