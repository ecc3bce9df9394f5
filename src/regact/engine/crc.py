"""The checksum of TensorFlow's files: CRC-32C, masked.

TFRecords, table files and checkpoints store checksums beside data that is itself checksummed; a mask keeps a checksum
over stored checksums from being degenerate.
"""

import google_crc32c

_MASK_DELTA = 0xA282EAD8


def masked_crc32c(data: bytes) -> int:
    """The masked CRC-32C (Castagnoli) of `data`: rotated right by 15 bits, plus 0xA282EAD8, modulo 2^32.

    As LevelDB's crc32c.h and TensorFlow's crc32c.h define it.
    """
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF
