"""A store in the making: it lies in `OUT.partial`, knows what it is to become, and appears when it is whole."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from regact.dataset.schema import STORE_MARK
from regact.engine import disk_full_as_error, partial_folder, whole_folder, write_json
from regact.errors import DiskSpaceError, StoreError

_WORK = "build"


@contextmanager
def unfinished_store(
    out: Path, identity: Mapping[str, Any], *, overwrite: bool, resume: bool
) -> Iterator[tuple[Path, Path]]:
    """The folder of a store that is being written, and a folder in it for what only the writing needs.

    When the block ends well the second is removed and the first becomes `out`. Where it fails or is killed both stay,
    and the next call with the same `identity` finds in them what was finished.

    Args:
        identity: By field, what must be the same for this writing to continue an earlier one.
        resume: Continue; otherwise begin anew.

    Raises: StoreError naming the fields in which the unfinished store that lies there differs; DiskSpaceError;
        as `whole_folder`.
    """
    with whole_folder(out, overwrite=overwrite, resume=True, mark=STORE_MARK) as folder:
        _claim(folder, identity, out, resume=resume)
        try:
            with disk_full_as_error(folder):
                yield folder, folder / _WORK
        except DiskSpaceError as error:
            remedy = "make room and run the same command again: what is built is kept"
            raise DiskSpaceError(partial_folder(out), error.found, "", remedy) from error
        shutil.rmtree(folder / _WORK)


def _claim(folder: Path, identity: Mapping[str, Any], out: Path, *, resume: bool) -> None:
    """Write into `folder` what it is to become, or see that it is that."""
    note = folder / _WORK / "plan.json"
    if not resume:
        for entry in folder.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry.name != ".lock":  # held by this process
                entry.unlink()
    if not note.is_file():
        write_json(note, identity)
        return
    begun = json.loads(note.read_text())
    differing = [name for name in {**identity, **begun} if identity.get(name) != begun.get(name)]
    if differing:
        shown = "; ".join(f"{name}: {_short(begun.get(name))}, now {_short(identity.get(name))}" for name in differing)
        raise StoreError(
            partial_folder(out),
            f"an unfinished build of another plan ({shown})",
            "the same plan to continue it",
            "say --no-resume to begin anew, or write to another folder",
        )


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
