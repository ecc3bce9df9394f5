"""One row per place of a read, as it is read from records; and the counts of what else a file has."""

import numpy as np

# One place of one read: hash of the read's name (the same for both mates), genome-wide start, length of the alignment
# or of the pair's fragment, number of places by the aligner's word (0 = it does not say), differences from the genome
# (-1 = it does not say), strand, fate (0 = usable), kind.
ROW = np.dtype(
    [
        ("key", "u8"),
        ("start", "i8"),
        ("length", "i4"),
        ("places", "i4"),
        ("differences", "i2"),
        ("strand", "i1"),
        ("fate", "u1"),
        ("kind", "u1"),
    ]
)
# Bits of `kind`. OWN_LENGTH: the length is that of the pair's fragment. EVIDENCE: the second mate of a pair that is one
# read, or whose read 1 is one; the row is no place but tells how well the pair fits there, and has read 1's strand.
# ALONE: a further place of one mate, given without the other's, as bwa and minimap2 do. TIED: it fits elsewhere as
# well, by its scores.
PRIMARY, OWN_LENGTH, READ2, EVIDENCE, ALONE, TIED = 1, 2, 4, 8, 16, 32

# Positions in the array that `parse_bytes` counts in; the last holds the number of the first damaged record, 0 without.
RECORDS, SUPPLEMENTARY_RECORDS, SECONDARY_RECORDS, UNMAPPED_READS, DAMAGED = 0, 1, 2, 3, 4


class Tally:
    """How many records a file has, by kind, and its reads that are mapped nowhere; grows while the file is read."""

    def __init__(self) -> None:
        self.counts = np.zeros(DAMAGED + 1, np.int64)

    @property
    def records(self) -> int:
        """Records of all kinds."""
        return int(self.counts[RECORDS])

    @property
    def supplementary(self) -> int:
        """Records of further parts of split alignments."""
        return int(self.counts[SUPPLEMENTARY_RECORDS])

    @property
    def secondary(self) -> int:
        """Records of further places."""
        return int(self.counts[SECONDARY_RECORDS])

    def to_dict(self) -> dict[str, int]:
        """Records, and those of the kinds that are no reads by themselves; empty where there are none."""
        if not self.records:
            return {}
        return {"all": self.records, "secondary": self.secondary, "supplementary": self.supplementary}

    @property
    def unmapped_reads(self) -> int:
        """Reads that have no row."""
        return int(self.counts[UNMAPPED_READS])
