"""SAM text as it streams by: how many reads have gone past, for a bar that says how far an aligner is."""

import numpy as np
from jaxtyping import UInt8

from regact.reads.compiled import compiled

# Bits of FLAG (SAM specification 1.4) that a read's, or a pair's, one record has not: secondary, supplementary, read 2.
_NOT_FIRST = 0x100 | 0x800 | 0x80


class ReadCounter:
    """Counts the reads (pairs count once) in SAM text that comes in pieces."""

    def __init__(self) -> None:
        self._tail = b""

    def add(self, piece: bytes) -> int:
        """Reads that end in this piece."""
        text = self._tail + piece
        end = text.rfind(b"\n") + 1
        self._tail = text[end:]
        return int(_count_reads(np.frombuffer(text[:end], np.uint8)))


@compiled
def _count_reads(text: UInt8[np.ndarray, "byte"]) -> int:
    """Lines that are no header and whose second field has none of the bits `_NOT_FIRST`."""
    reads, at = 0, 0
    while at < len(text):
        is_header = text[at] == ord("@")
        while text[at] not in (ord("\t"), ord("\n")):
            at += 1
        flag = 0
        if text[at] == ord("\t"):
            at += 1
            while ord("0") <= text[at] <= ord("9"):
                flag = 10 * flag + text[at] - ord("0")
                at += 1
        while text[at] != ord("\n"):
            at += 1
        at += 1
        reads += not is_header and not flag & _NOT_FIRST
    return reads
