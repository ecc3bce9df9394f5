"""TFRecord files, record by record: what TensorFlow frames, and Basenji compresses as one ZLIB stream.

A record is its length (uint64), the masked CRC-32C of that, its bytes, and their masked CRC-32C, all little-endian
(https://www.tensorflow.org/tutorials/load_data/tfrecord). A file may be one ZLIB or GZIP stream, or not compressed.
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from regact.engine import masked_crc32c
from regact.errors import FormatError

_LENGTH_BYTES, _CRC_BYTES = 8, 4
_READ_BYTES = 2**20
_ZLIB_OR_GZIP = 32 + zlib.MAX_WBITS  # zlib tells the two apart by their headers
_DAMAGED = "copy or download the file again"


def read_records(path: Path) -> Iterator[bytes]:
    """The bytes of each record in file order, held one at a time; nothing for a file without records.

    Raises: FormatError naming the record (counted from 0) and the byte of the unpacked file at which it is cut off or
        damaged.
    """
    with path.open("rb") as raw:
        stream = _Stream(path, raw)
        while True:
            header = stream.read(_LENGTH_BYTES + _CRC_BYTES)
            if not header:
                return
            stream.check(header[:_LENGTH_BYTES], header[_LENGTH_BYTES:], "length")
            (length,) = struct.unpack("<Q", header[:_LENGTH_BYTES])
            content = stream.read(length)
            stream.check(content, stream.read(_CRC_BYTES), "content")
            yield content
            stream.record += 1


class _Stream:
    """The unpacked bytes of a file, and where in it the reading is."""

    def __init__(self, path: Path, raw: BinaryIO) -> None:
        self.record, self.place = 0, 0
        self._path, self._raw = path, raw
        self._held = raw.read(_READ_BYTES)
        self._inflate = None if _is_framed(self._held) else zlib.decompressobj(_ZLIB_OR_GZIP)

    def read(self, size: int) -> bytes:
        """The next `size` bytes; none at the file's end, if that is where a record may end.

        Raises: FormatError where the file ends within them, or cannot be unpacked.
        """
        parts, missing = [], size
        while missing and (part := self._next(missing)):
            parts.append(part)
            missing -= len(part)
        if missing and (missing < size or size != _LENGTH_BYTES + _CRC_BYTES):
            raise self.error(f"truncated: {missing:,} of {size:,} bytes are missing")
        self.place += size - missing
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def check(self, content: bytes, crc: bytes, what: str) -> None:
        """Raise FormatError unless `crc` is the checksum of what was read last, its `what`."""
        (found,) = struct.unpack("<I", crc)
        computed = masked_crc32c(content)
        if found != computed:
            self.place -= len(content) + _CRC_BYTES
            raise self.error(f"its {what} is damaged (checksum {found:08x}, of its bytes {computed:08x})")

    def error(self, found: str) -> FormatError:
        where = f"{self._path}, record {self.record}, byte {self.place:,} of the unpacked file"
        return FormatError(where, found, "a whole TFRecord file", _DAMAGED)

    def _next(self, most: int) -> bytes:
        """At least one and at most so many bytes more; none at the end."""
        if self._inflate is None:
            self._held = self._held or self._raw.read(_READ_BYTES)
            part, self._held = self._held[:most], self._held[most:]
            return part
        while not self._inflate.eof:
            self._held = self._held or self._raw.read(_READ_BYTES)
            if not self._held:
                if self._raw.tell() == 0:  # an empty file: a shard without records
                    return b""
                raise self.error("truncated: the compressed stream has no end")
            try:
                part = self._inflate.decompress(self._held, most)
            except zlib.error as error:
                raise self.error(f"cannot be unpacked ({error})") from None
            self._held = self._inflate.unconsumed_tail
            if part:
                return part
        if self._inflate.unused_data:
            raise self.error("bytes after the end of the compressed stream")
        return b""


def _is_framed(start: bytes) -> bool:
    """Whether a file begins with a record's length and its checksum, and so is not compressed."""
    end = _LENGTH_BYTES + _CRC_BYTES
    return len(start) >= end and struct.unpack("<I", start[_LENGTH_BYTES:end])[0] == masked_crc32c(
        start[:_LENGTH_BYTES]
    )
