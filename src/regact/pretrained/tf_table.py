"""The table file of TensorFlow: sorted keys and values in checksummed blocks; a checkpoint's index is one.

    block, type (1 byte), masked crc32c of both (4 bytes)      the data blocks, a block of metadata, the index block
    ...
    footer (48 bytes): places of the last two blocks, padded, and a magic number

A block holds entries, then the offsets of some of them and their number. An entry's key says how many bytes it shares
with the key before it. The index block's values say where the data blocks are. (TensorFlow's
`core/lib/io/table_format.txt`, which is LevelDB's.)
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from regact.engine import masked_crc32c, read_varint
from regact.errors import FormatError

_MAGIC = bytes.fromhex("57fb808b247547db")
_FOOTER_BYTES = 48
_TRAILER_BYTES = 5
_UNCOMPRESSED, _SNAPPY = 0, 1


def read_table(path: str | Path) -> dict[bytes, bytes]:
    """Every key and value of a table file, in the order of the file.

    Raises: FormatError where it is no table file, truncated, damaged or compressed; FileNotFoundError.
    """
    path = Path(path)
    data = path.read_bytes()
    if len(data) < _FOOTER_BYTES or not data.endswith(_MAGIC):
        raise FormatError(path, "does not end as a table file does", "a whole TensorFlow index", "copy it again")
    try:
        footer = data[-_FOOTER_BYTES:]
        _, _, after_metadata = _read_handle(footer, 0)
        index_start, index_bytes, _ = _read_handle(footer, after_metadata)
        table: dict[bytes, bytes] = {}
        for _, handle in _read_entries(_read_block(path, data, index_start, index_bytes)):
            start, size, _ = _read_handle(handle, 0)
            table.update(_read_entries(_read_block(path, data, start, size)))
    except ValueError as error:
        raise FormatError(path, f"damaged ({error})", "a whole TensorFlow index", "copy it again") from error
    return table


def _read_handle(data: bytes, position: int) -> tuple[int, int, int]:
    """Start and size of a block, and the position behind these two numbers."""
    start, position = read_varint(data, position)
    size, position = read_varint(data, position)
    return start, size, position


def _read_block(path: Path, data: bytes, start: int, size: int) -> bytes:
    """The block at byte `start`, whose type and checksum are looked at."""
    end = start + size
    if end + _TRAILER_BYTES > len(data):
        raise ValueError(f"the block at byte {start} would end behind the file")
    kind, checksum = struct.unpack_from("<BI", data, end)
    if checksum != masked_crc32c(data[start : end + 1]):
        raise ValueError(f"the checksum of the block at byte {start} is wrong")
    if kind != _UNCOMPRESSED:
        name = "Snappy" if kind == _SNAPPY else f"method {kind}"
        raise FormatError(
            path,
            f"the block at byte {start} is compressed ({name})",
            "an uncompressed index, as TensorFlow's Saver writes it",
            "save the checkpoint again with it",
        )
    return data[start:end]


def _read_entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of each entry of a block."""
    if len(block) < 4:
        raise ValueError("a block without entries")
    (restarts,) = struct.unpack("<I", block[-4:])
    end = len(block) - 4 * (1 + restarts)
    if end < 0:
        raise ValueError("a block with more restarts than bytes")
    key, position = b"", 0
    while position < end:
        shared, position = read_varint(block, position)
        own, position = read_varint(block, position)
        size, position = read_varint(block, position)
        if shared > len(key) or position + own + size > end:
            raise ValueError("an entry that runs over its block")
        key = key[:shared] + block[position : position + own]
        yield key, block[position + own : position + own + size]
        position += own + size
