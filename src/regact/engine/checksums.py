"""The checksums of a folder's files, in the form of `sha256sum`: `sha256sum -c SHA256SUMS` checks them anywhere."""

import hashlib
import re
from collections.abc import Collection
from pathlib import Path

from regact.engine.files import whole_file
from regact.errors import FormatError

SUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def sha256_of(path: Path | str) -> str:
    """The sha256 (hex) of a file, read in pieces."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_checksums(folder: Path | str) -> Path:
    """Write the checksums of all files that lie directly in `folder` into its SHA256SUMS; return that path.

    Hidden files are left out: they are locks and the like.
    """
    files = sorted(path for path in Path(folder).iterdir() if path.is_file() and not path.name.startswith((".", SUMS)))
    with whole_file(Path(folder) / SUMS) as temporary:
        temporary.write_text("".join(f"{sha256_of(path)}  {path.name}\n" for path in files), encoding="utf-8")
    return Path(folder) / SUMS


def check_checksums(folder: Path | str, names: Collection[str] | None = None) -> set[str]:
    """Hold the files of a folder against its SHA256SUMS: all that are listed there, or of them those in `names`.

    Files that are not listed may be anything; without a list that is all of them. Returns the names that were held
    against it.

    Raises: FormatError naming every file that is missing or was changed, or a list that cannot be read.
    """
    folder = Path(folder)
    if not (folder / SUMS).is_file():
        return set()
    listed = {name: known for name, known in _read(folder / SUMS).items() if names is None or name in names}
    wrong = []
    for name, checksum in listed.items():
        path = folder / name
        if not path.is_file():
            wrong.append(f"{name} is missing")
        elif sha256_of(path) != checksum:
            wrong.append(f"{name} was changed")
    if wrong:
        raise FormatError(folder, ", ".join(wrong), f"the files that {SUMS} lists", "fetch the folder again")
    return set(listed)


def _read(path: Path) -> dict[str, str]:
    """Checksum by name."""
    found = {}
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        match = _LINE.fullmatch(line)
        if match is None or Path(match[2]).name != match[2]:
            raise FormatError(f"{path} line {number}", f"{line[:60]!r}", "a checksum, two spaces and a file's name")
        found[match[2]] = match[1]
    return found
