"""The wire format of protocol buffers, as far as files of TensorFlow use it: fields one after the other, no schema.

What a field's number means is known to whoever reads the message (https://protobuf.dev/programming-guides/encoding).
"""

from collections.abc import Iterator

_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5
_FIXED_SIZE = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}


def read_varint(data: bytes | memoryview, position: int) -> tuple[int, int]:
    """The unsigned number written at `position` in groups of seven bits, and the position behind it.

    Raises: ValueError where `data` ends within it, or it takes more than 64 bits.
    """
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise ValueError("ends within a number")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("a number of more than ten bytes")


def read_fields(message: bytes | memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field of `message`, in the order in which they are written.

    A varint comes as an unsigned int; strings, sub-messages, packed lists and numbers of fixed size come as their
    bytes, which are a view of `message` and not copied. A number that occurs again is a repeated field.

    Raises: ValueError where the message is damaged.
    """
    view, position = memoryview(message), 0
    while position < len(view):
        tag, position = read_varint(view, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == _VARINT:
            value, position = read_varint(view, position)
            yield number, value
            continue
        if wire_type == _LENGTH:
            size, position = read_varint(view, position)
        elif wire_type in _FIXED_SIZE:
            size = _FIXED_SIZE[wire_type]
        else:
            raise ValueError(f"field {number} is of unknown wire type {wire_type}")
        if position + size > len(view):
            raise ValueError(f"field {number} has {len(view) - position} of its {size} bytes")
        yield number, view[position : position + size]
        position += size
