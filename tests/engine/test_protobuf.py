"""Fields of protocol buffers, against the examples of the format's own guide and an encoder written here."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.engine import read_fields, read_varint


def varint(value: int) -> bytes:
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])


def encode(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def test_examples_of_the_guide():
    assert list(read_fields(bytes.fromhex("089601"))) == [(1, 150)]
    assert list(read_fields(bytes.fromhex("120774657374696e67"))) == [(2, b"testing")]
    nested = dict(read_fields(bytes.fromhex("1a03089601")))[3]
    assert list(read_fields(nested)) == [(1, 150)]


def test_numbers_of_fixed_size_come_as_bytes():
    assert list(read_fields(bytes.fromhex("35785634120901000000000000ff"))) == [
        (6, bytes.fromhex("78563412")),
        (1, bytes.fromhex("01000000000000ff")),
    ]


FIELDS = st.lists(
    st.tuples(st.integers(1, 2**29 - 1), st.one_of(st.integers(0, 2**64 - 1), st.binary(max_size=300))), max_size=8
)


@given(FIELDS)
def test_reads_back_any_fields_in_order(fields):
    assert list(read_fields(b"".join(encode(*field) for field in fields))) == fields


@given(st.binary(max_size=60))
def test_damaged_bytes_are_read_or_refused_and_nothing_else(data: bytes):
    with contextlib.suppress(ValueError):
        list(read_fields(data))


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ("08", "ends within a number"),
        ("08" + "ff" * 10, "more than ten bytes"),
        ("1205aabb", "field 2 has 2 of its 5 bytes"),
        ("35aabb", "field 6 has 2 of its 4 bytes"),
        ("0b", "unknown wire type 3"),
    ],
)
def test_damage_is_named(message: str, problem: str):
    with pytest.raises(ValueError, match=problem):
        list(read_fields(bytes.fromhex(message)))


def test_varint_says_where_it_ends():
    assert read_varint(b"\xff\x96\x01\x05", 1) == (150, 3)
