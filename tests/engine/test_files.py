import errno
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from regact.engine import (
    check_space,
    disk_full_as_error,
    partial_folder,
    refuse_existing,
    whole_file,
    whole_folder,
    write_json,
)
from regact.engine.files import remove_leftovers
from regact.errors import DiskSpaceError, OutputExistsError, ProgramError


class StoppedError(Exception):
    """What goes wrong in the middle of writing."""


@contextmanager
def stopped_by_an_error() -> Iterator[None]:
    with pytest.raises(StoppedError):
        yield


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    final = tmp_path / "made" / "table.tsv"
    with whole_file(final) as temporary:
        temporary.write_text("whole")
        assert temporary.parent == final.parent
        assert not final.exists()
    assert final.read_text() == "whole"
    assert names(final.parent) == ["table.tsv"]


def test_a_failed_file_leaves_the_former_one(tmp_path: Path) -> None:
    final = tmp_path / "table.tsv"
    final.write_text("former")
    with stopped_by_an_error(), whole_file(final) as temporary:
        temporary.write_text("half")
        raise StoppedError
    assert final.read_text() == "former"
    assert names(tmp_path) == ["table.tsv"]


def test_links_devices_and_folders(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with whole_file(tmp_path / "link") as temporary:
        temporary.write_text("x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "x"
    with whole_file("/dev/null") as same:
        same.write_text("x")
    assert not Path("/dev/null").is_file()
    with pytest.raises(OutputExistsError, match="a folder"), whole_file(tmp_path):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's always-full device")
def test_a_full_disk_is_our_error() -> None:
    with (
        pytest.raises(DiskSpaceError, match=r"/dev/full: the disk is full .*make room"),
        whole_file("/dev/full") as path,
    ):
        path.write_text("x" * 100_000)


def test_only_a_full_disk_is_translated(tmp_path: Path) -> None:
    with pytest.raises(DiskSpaceError, match="store: the disk is full"), disk_full_as_error("store"):
        raise OSError(errno.EDQUOT, "Disk quota exceeded")
    with pytest.raises(FileNotFoundError), disk_full_as_error("store"):
        (tmp_path / "none").read_text()


def test_json_is_whole_and_strict(tmp_path: Path) -> None:
    write_json(tmp_path / "card.json", {"a": [1, "µ"]})
    assert json.loads((tmp_path / "card.json").read_text()) == {"a": [1, "µ"]}
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "card.json", {"a": float("nan")})
    assert json.loads((tmp_path / "card.json").read_text()) == {"a": [1, "µ"]}


def test_a_folder_appears_when_it_is_whole(tmp_path: Path) -> None:
    final = tmp_path / "store"
    with whole_folder(final) as temporary:
        (temporary / "part").write_text("x")
        assert not final.exists()
    assert names(tmp_path) == ["store"]
    assert names(final) == ["part"]
    with stopped_by_an_error(), whole_folder(tmp_path / "other") as temporary:
        (temporary / "part").write_text("x")
        raise StoppedError
    assert names(tmp_path) == ["store"]


def test_an_existing_folder_is_replaced_only_when_asked(tmp_path: Path) -> None:
    final = tmp_path / "store"
    final.mkdir()
    (final / "former").touch()
    with pytest.raises(OutputExistsError, match=r"store: already there.*--overwrite"), whole_folder(final):
        pass
    with pytest.raises(OutputExistsError, match="already there"):
        refuse_existing(final, overwrite=False)
    refuse_existing(final, overwrite=True)
    with whole_folder(final, overwrite=True) as temporary:
        (temporary / "new").touch()
        assert names(final) == ["former"], "the former one stays until the new one is whole"
    assert names(final) == ["new"]
    assert names(tmp_path) == ["store"]


def test_only_a_folder_of_its_own_kind_is_replaced(tmp_path: Path) -> None:
    thesis = tmp_path / "thesis"
    thesis.mkdir()
    refuse_existing(thesis, overwrite=True, mark="card.json")  # empty
    (thesis / "chapter").touch()
    for overwrite in (False, True):
        needed = r"thesis: already there, and holds no card\.json; needed a new name"
        with (
            pytest.raises(OutputExistsError, match=needed),
            whole_folder(thesis, overwrite=overwrite, mark="card.json"),
        ):
            pass
    with pytest.raises(OutputExistsError, match=r"chapter: already there, and holds no card\.json"):
        refuse_existing(thesis / "chapter", overwrite=True, mark="card.json")
    (thesis / "card.json").touch()
    with whole_folder(thesis, overwrite=True, mark="card.json"):
        pass
    assert names(thesis) == []


def test_a_resumed_folder_keeps_what_is_finished(tmp_path: Path) -> None:
    final = tmp_path / "store"
    with stopped_by_an_error(), whole_folder(final, resume=True) as temporary:
        (temporary / "first").touch()
        raise StoppedError
    assert names(tmp_path) == ["store.partial"] == [partial_folder(final).name]
    with whole_folder(final, resume=True) as temporary:
        assert (temporary / "first").exists()
        (temporary / "second").touch()
    assert names(tmp_path) == ["store"]
    assert names(final) == ["first", "second"]


def test_two_writers_of_one_output_are_kept_apart(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "store", resume=True) as temporary:
        (temporary / "mine").touch()
        with (
            pytest.raises(ProgramError, match="store: another process is writing it"),
            whole_folder(tmp_path / "store", resume=True),
        ):
            pass
    assert names(tmp_path / "store") == ["mine"]


HOLD = """
import sys, time
from pathlib import Path
from regact.engine import whole_file, whole_folder
folder = Path(sys.argv[1])
three = whole_folder(folder / "c", resume=True)
with whole_file(folder / "a.tsv") as one, whole_folder(folder / "b") as two, three as c:
    one.write_text("half"); (two / "half").touch(); (c / "done").touch()
    print("written", flush=True)
    time.sleep(60)
"""


def test_processes_take_turns_and_a_killed_one_is_out_of_its_turn(tmp_path: Path) -> None:
    code = """
import sys, time
from pathlib import Path
from regact.engine import take_turns
with take_turns(Path(sys.argv[1])):
    print("in", flush=True)
    time.sleep(60)
"""
    command = [sys.executable, "-c", code, str(tmp_path / "turn")]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as second,
    ):
        try:
            readable, _, _ = select.select([first.stdout, second.stdout], [], [], 60)
            assert len(readable) == 1
            inside, waiting = (first, second) if readable[0] is first.stdout else (second, first)
            assert not select.select([waiting.stdout], [], [], 1)[0]
            inside.kill()
            assert waiting.stdout is not None
            assert waiting.stdout.readline() == "in\n"
        finally:
            first.kill()
            second.kill()


def test_what_a_killed_process_leaves_is_removed_and_what_it_finished_is_found(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        with whole_file(tmp_path / "a.tsv") as temporary:
            temporary.write_text("mine")
        assert len(names(tmp_path)) == 4, "the other process's temporary file and folders stay while it lives"
        os.kill(process.pid, signal.SIGKILL)
    assert not (tmp_path / "b").exists()
    for name in ("a.tsv", "b"):
        with whole_file(tmp_path / name) as temporary:
            temporary.write_text("again")
    assert names(tmp_path) == ["a.tsv", "b", "c.partial"]
    with whole_folder(tmp_path / "c", resume=True) as temporary:
        assert (temporary / "done").exists(), "its lock went with it"
    assert names(tmp_path) == ["a.tsv", "b", "c"]


KILL_BETWEEN_RENAMES = """
import os, signal, sys
from pathlib import Path
from regact.engine import whole_folder
rename = Path.rename
def rename_and_die(path, target):
    rename(path, target)
    os.kill(os.getpid(), signal.SIGKILL)
with whole_folder(sys.argv[1], overwrite=True) as folder:
    (folder / "new").touch()
    Path.rename = rename_and_die
"""


def test_the_former_output_comes_back_where_its_replacement_was_killed(tmp_path: Path) -> None:
    final = tmp_path / "store"
    final.mkdir()
    (final / "former").touch()
    subprocess.run([sys.executable, "-c", KILL_BETWEEN_RENAMES, str(final)], check=False)
    assert not final.exists(), "it was killed between the two renames"
    remove_leftovers(final)
    assert names(tmp_path) == ["store"]
    assert names(final) == ["former"]


def test_too_little_space_is_told_beforehand(tmp_path: Path) -> None:
    check_space(tmp_path / "not" / "yet" / "there", 1, "a byte")
    with pytest.raises(DiskSpaceError, match=r"store: .* GB free; needed 1,000,000\.00 GB for the targets"):
        check_space(tmp_path / "store", 10**15, "the targets")
