"""Files that may be packed by gzip, told by their first bytes and not by their names."""

import gzip
from io import BufferedReader
from pathlib import Path
from typing import IO, cast

GZIP_MAGIC = b"\x1f\x8b"


def is_gzip(path: Path) -> bool:
    """Whether the file is packed by gzip (or bgzip).

    Raises: OSError where it cannot be read.
    """
    with path.open("rb") as file:
        return file.read(len(GZIP_MAGIC)) == GZIP_MAGIC


def unpacked(raw: BufferedReader) -> IO[bytes]:
    """What the open file holds: unpacked where it is gzip, else the file itself.

    `raw.tell()` says how much of the packed file was read. What reads it meets EOFError, zlib.error and
    gzip.BadGzipFile where it is damaged.
    """
    is_packed = raw.peek(len(GZIP_MAGIC))[: len(GZIP_MAGIC)] == GZIP_MAGIC
    return cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if is_packed else raw
