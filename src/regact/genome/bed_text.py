"""The text of BED and bedGraph files: plain or gzip, and which of its lines are no rows."""

import gzip
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_GZIP_MAGIC = b"\x1f\x8b"
# Words, not beginnings of words: a contig may be called track_1.
_NO_ROW = re.compile(r"#|(track|browser)(\s|$)|\s*$")


@contextmanager
def open_text(path: Path) -> Iterator[IO[str]]:
    """The text of a plain or gzip file, told apart by its first bytes.

    A byte-order mark, which some Windows programs write, is passed over: it would become part of the first contig's
    name.
    """
    with path.open("rb") as start:
        is_gzip = start.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    with gzip.open(path, "rt", encoding="utf-8-sig") if is_gzip else path.open(encoding="utf-8-sig") as lines:
        yield lines


def is_header(line: str) -> bool:
    """Whether a line is a comment, blank, or for a genome browser."""
    return _NO_ROW.match(line) is not None
