"""Masked CRC-32C against its published check value and a bit-by-bit computation."""

from hypothesis import given
from hypothesis import strategies as st

from regact.engine import masked_crc32c


def plain_crc32c(data: bytes) -> int:
    """CRC-32C one bit at a time: reflected polynomial 0x82F63B78, start and end inverted."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def unmask(masked: int) -> int:
    rotated = (masked - 0xA282EAD8) % 2**32
    return (rotated >> 17 | rotated << 15) % 2**32


def test_published_check_values():
    # RFC 3720, B.4: 32 bytes of zeros; and the check value of the catalogue of CRCs.
    assert unmask(masked_crc32c(bytes(32))) == 0x8A9136AA
    assert unmask(masked_crc32c(b"123456789")) == 0xE3069283


@given(st.binary(max_size=200))
def test_any_bytes_as_bit_by_bit(data: bytes):
    masked = masked_crc32c(data)
    assert 0 <= masked < 2**32
    assert unmask(masked) == plain_crc32c(data)
