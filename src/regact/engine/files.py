"""Outputs that are whole or absent: written under a temporary name beside the final one, then renamed.

A temporary name says which process made it (`.NAME.HOST-PID-RANDOM.partial`), so that what a killed process left
behind is recognised and removed by the next one that writes the same output.
"""

import errno
import fcntl
import json
import os
import re
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from regact.errors import DiskSpaceError, OutputExistsError, ProgramError

_SUFFIX = ".partial"
_FORMER = ".former"
_LOCK = ".lock"
_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def whole_file(path: Path | str) -> Iterator[Path]:
    """A temporary path beside `path`; what was written there becomes `path` when the block ends well.

    An existing file is replaced in one step, a symbolic link's target rather than the link. Where the block fails,
    nothing is left. The folder is made if needed. A device or pipe (`/dev/stdout`) is yielded as it is.

    Raises: OutputExistsError where `path` is a folder; DiskSpaceError where the disk fills up; FileNotFoundError where
        the block wrote nothing.
    """
    final = Path(path).resolve()
    with disk_full_as_error(path):
        if final.is_dir():
            raise OutputExistsError(path, "a folder", "the name of a file")
        if final.exists() and not final.is_file():
            yield final
            return
        final.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(final)
        temporary = _temporary_name(final)
        try:
            yield temporary
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
            temporary.replace(final)
            _sync_folder(final.parent)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path | str, *, overwrite: bool = False, resume: bool = False, mark: str = "") -> Iterator[Path]:
    """An empty temporary folder beside `path`, renamed to it when the block ends well.

    With `resume` the temporary folder has the fixed name `NAME.partial`, stays when the block fails or is killed, and
    the next run finds in it what the last one finished; a lock in it keeps a second process away. Without, nothing
    is left where the block fails. The files' data are not forced to the disk one by one: a killed process loses
    nothing, a power cut may.

    Raises: OutputExistsError where `path` is there and must not be replaced, as `refuse_existing` tells;
        DiskSpaceError where the disk fills up; ProgramError where another process is writing the same output.
    """
    final = Path(path)
    with disk_full_as_error(final):
        remove_leftovers(final)
        refuse_existing(final, overwrite, mark=mark)
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary = partial_folder(final) if resume else _temporary_name(final)
        temporary.mkdir(exist_ok=resume)
        try:
            with sole_writer(temporary, final):
                yield temporary
                refuse_existing(final, overwrite, mark=mark)
                _move_folder(temporary, final)
        finally:
            if not resume:
                shutil.rmtree(temporary, ignore_errors=True)


def partial_folder(path: Path | str) -> Path:
    """Where `whole_folder(path, resume=True)` keeps an unfinished output."""
    final = Path(path)
    return final.with_name(final.name + _SUFFIX)


def write_json(path: Path | str, value: Any) -> None:
    """Write `value` as indented JSON, whole or not at all.

    Raises: ValueError for NaN and inf, which are no JSON.
    """
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def check_space(path: Path | str, needed_bytes: int, what: str) -> None:
    """Raise DiskSpaceError unless the disk that `path` will lie on has `needed_bytes` free for `what`."""
    folder = Path(path).absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise DiskSpaceError(
            path,
            f"{free / 1e9:,.2f} GB free",
            f"{needed_bytes / 1e9:,.2f} GB for {what}",
            "make room or write to another disk",
        )


def refuse_existing(path: Path | str, overwrite: bool, *, mark: str = "") -> None:
    """Raise OutputExistsError where `path` is there and must not be replaced: to be asked before long work.

    `mark` is a file that every folder of this output's kind holds. Nothing else is replaced, `overwrite` or not, but an
    empty folder: a slip in a path shall not cost anybody a project.
    """
    path = Path(path)
    if mark and path.exists() and not (path / mark).exists() and not _is_empty_folder(path):
        raise OutputExistsError(path, f"already there, and holds no {mark}", "a new name", "--overwrite is for its own")
    if path.exists() and not overwrite:
        raise OutputExistsError(path, "already there", "a new name", "or say --overwrite to replace it")


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


@contextmanager
def disk_full_as_error(path: Path | str) -> Iterator[None]:
    """Turn the operating system's "disk full" (or quota exceeded) inside the block into a DiskSpaceError on `path`."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise DiskSpaceError(
            path, f"the disk is full ({error.strerror})", "", "make room or write elsewhere"
        ) from error


def remove_leftovers(path: Path | str) -> None:
    """Remove what killed processes of this machine left of `path`; what a living process is writing stays.

    A former output that was stepping aside for the new one when its process was killed comes back.
    """
    final = Path(path)
    ours = re.compile(re.escape(f".{final.name}.{_host()}-") + rf"(\d+)-[0-9a-f]+({_SUFFIX}|{_FORMER})")
    for entry in [*final.parent.glob(f".*{_SUFFIX}"), *final.parent.glob(f".*{_FORMER}")]:
        match = ours.fullmatch(entry.name)
        if match is None or _is_alive(int(match[1])):
            continue
        if match[2] == _FORMER and not final.exists():
            entry.rename(final)
        else:
            _remove(entry)


def _temporary_name(final: Path, suffix: str = _SUFFIX) -> Path:
    return final.with_name(f".{final.name}.{_host()}-{os.getpid()}-{secrets.token_hex(4)}{suffix}")


def _remove(path: Path) -> None:
    """Remove a file, link or folder that another process may be removing too."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _host() -> str:
    # On a shared file system another machine's process ids mean nothing here.
    return re.sub(r"[^A-Za-z0-9]", "", socket.gethostname()) or "localhost"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def sole_writer(folder: Path, final: Path) -> Iterator[None]:
    """Hold the lock of `folder`, which is being written for `final`; it is let go of however this process ends.

    Raises: ProgramError where another process holds it.
    """
    lock = folder / _LOCK
    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ProgramError(
                final, "another process is writing it", "", "wait for it or choose another name"
            ) from error
        yield


@contextmanager
def take_turns(lock: Path) -> Iterator[None]:
    """Wait until no other process is in a block of the same `lock` file; a killed one is out of it."""
    with lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _move_folder(temporary: Path, final: Path) -> None:
    former = _temporary_name(final, _FORMER)
    if final.exists():
        final.rename(former)  # a folder that is not empty cannot be replaced by a rename
    temporary.rename(final)
    # Not before: its lock has to hold until the temporary name is gone.
    (final / _LOCK).unlink()
    _remove(former)
    _sync_folder(final.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
