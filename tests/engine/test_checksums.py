"""SHA256SUMS: what coreutils says of it, and every way in which a folder can differ from it."""

import shutil
import subprocess

import pytest

from regact.engine import check_checksums, write_checksums
from regact.errors import FormatError


@pytest.fixture
def folder(tmp_path):
    for name, content in {"a.json": b"{}", "b with space.bin": bytes(range(256)), "empty": b""}.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "below").mkdir()
    write_checksums(tmp_path)
    return tmp_path


def test_an_unchanged_folder_passes_and_may_gain_files(folder):
    check_checksums(folder)
    (folder / "new").write_text("anything")
    check_checksums(folder)
    assert write_checksums(folder).read_text().count("\n") == 4  # the list itself is not in it


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum on this machine")
def test_sha256sum_agrees(folder):
    done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["a.json: OK", "b with space.bin: OK", "empty: OK"]


def test_every_difference_is_told_at_once(folder):
    (folder / "a.json").write_text("{ }")
    (folder / "empty").unlink()
    with pytest.raises(
        FormatError, match=r"a\.json was changed, empty is missing; needed the files that SHA256SUMS lists"
    ):
        check_checksums(folder)
    check_checksums(folder, ["b with space.bin"])
    with pytest.raises(FormatError, match=r": empty is missing;"):
        check_checksums(folder, ["empty", "b with space.bin"])


def test_a_folder_without_a_list_is_not_held_against_anything(tmp_path):
    check_checksums(tmp_path)


@pytest.mark.parametrize(
    "line", ["abc  a.json", "0" * 64 + " a.json", "0" * 64 + "  ../a.json", "0" * 64 + "  /etc/passwd"]
)
def test_a_list_of_another_form_or_place_is_refused(folder, line):
    (folder / "SHA256SUMS").write_text(f"{line}\n")
    with pytest.raises(FormatError, match=r"SHA256SUMS line 1: .*; needed a checksum, two spaces"):
        check_checksums(folder)
