"""A writer of TensorFlow's second checkpoint format, written from its description and independent of the reader.

Checksums bit by bit from a table, varints by hand, prefix-coded blocks with several restarts and several data blocks,
so that the reader meets all that the format may hold.
"""

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

DTYPES = {"float32": 1, "float64": 2, "int32": 3, "int64": 9}
_TABLE = []
for _byte in range(256):
    for _ in range(8):
        _byte = _byte >> 1 ^ (0x82F63B78 if _byte & 1 else 0)
    _TABLE.append(_byte)


def masked_checksum(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) % 2**32


def varint(number: int) -> bytes:
    out = b""
    while number >= 128:
        out += bytes([number % 128 + 128])
        number //= 128
    return out + bytes([number])


def numbered(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value) if value else b""  # proto3 leaves zeros out
    return varint(number << 3 | 2) + varint(len(value)) + value


def entry(dtype: int, shape: tuple[int, ...], shard: int, offset: int, size: int, checksum: int, slices: int) -> bytes:
    dimensions = b"".join(numbered(2, numbered(1, dimension)) for dimension in shape)
    fixed = varint(6 << 3 | 5) + struct.pack("<I", checksum)
    one_slice = numbered(7, numbered(1, b""))
    head = numbered(1, dtype) + numbered(2, dimensions) + numbered(3, shard) + numbered(4, offset) + numbered(5, size)
    return head + fixed + one_slice * slices


def block(entries: list[tuple[bytes, bytes]], restart_every: int) -> bytes:
    out, restarts, before = b"", [], b""
    for number, (key, value) in enumerate(entries):
        shared = 0
        if number % restart_every == 0:
            restarts.append(len(out))
        else:
            while shared < min(len(key), len(before)) and key[shared] == before[shared]:
                shared += 1
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    restarts = restarts or [0]
    return out + struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts))


def write_table(path: Path, items: Mapping[bytes, bytes], *, per_block: int = 5, compressed: bool = False) -> None:
    data, index = b"", []

    def put(content: bytes, kind: int = 0) -> bytes:
        nonlocal data
        handle = varint(len(data)) + varint(len(content))
        data += content + bytes([kind]) + struct.pack("<I", masked_checksum(content + bytes([kind])))
        return handle

    ordered = sorted(items.items())
    for first in range(0, len(ordered), per_block):
        part = ordered[first : first + per_block]
        index.append((part[-1][0], put(block(part, 3), kind=1 if compressed else 0)))
    footer = put(block([], 1)) + put(block(index, 1))
    path.write_bytes(data + footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57))


def write_checkpoint(
    prefix: Path,
    tensors: Mapping[str, np.ndarray],
    *,
    shards: int = 1,
    big_endian: bool = False,
    compressed: bool = False,
    sliced: tuple[str, ...] = (),
    wrong_checksum: tuple[str, ...] = (),
) -> Path:
    """Write `tensors` as PREFIX.index and PREFIX.data-*, dealt out to the shards in turn; return the prefix."""
    contents = [bytearray() for _ in range(shards)]
    version = numbered(3, numbered(1, 1))
    items = {b"": numbered(1, shards) + numbered(2, int(big_endian)) + version}
    for number, (name, tensor) in enumerate(sorted(tensors.items())):
        data = np.ascontiguousarray(tensor).tobytes()
        shard, dtype = number % shards, DTYPES[tensor.dtype.name]
        checksum = masked_checksum(data) ^ (name in wrong_checksum)
        place = (shard, len(contents[shard]), len(data), checksum)
        if name in sliced:
            items[name.encode()] = entry(dtype, tensor.shape, 0, 0, 0, 0, slices=1)
            items[b"\0\x01\xfe" + name.encode()] = entry(dtype, tensor.shape, *place, slices=0)
        else:
            items[name.encode()] = entry(dtype, tensor.shape, *place, slices=0)
        contents[shard] += data
    write_table(prefix.with_name(f"{prefix.name}.index"), items, compressed=compressed)
    for shard, content in enumerate(contents):
        prefix.with_name(f"{prefix.name}.data-{shard:05d}-of-{shards:05d}").write_bytes(content)
    return prefix
