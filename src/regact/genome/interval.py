"""Intervals on a genome: 0-based, half-open; region strings are their 1-based spelling."""

import re
from dataclasses import dataclass

from regact.errors import FormatError

# The name is taken greedily: names of HLA contigs hold colons themselves ("HLA-A*01:01:01:1-100").
_REGION = re.compile(r"^(?P<chrom>\S+):(?P<first>[\d,]+)-(?P<last>[\d,]+)$")


@dataclass(frozen=True, order=True, slots=True)
class Interval:
    """The bases `start` to `end` (0-based, half-open) of the contig `chrom`.

    It may be empty, and may reach beyond either end of the contig: a shifted window does, and reads N there.

    Raises: ValueError where `end` lies before `start`.
    """

    chrom: str
    start: int
    end: int

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"interval {self.chrom} {self.start} {self.end} ends before it starts")

    def __str__(self) -> str:
        """The region string, 1-based with both ends included: `chrI:1001-2000`."""
        return f"{self.chrom}:{self.start + 1}-{self.end}"

    @property
    def length(self) -> int:
        """Number of bases."""
        return self.end - self.start

    def overlaps(self, other: "Interval") -> bool:
        """Whether the two share at least one base; touching ends share none."""
        return self.chrom == other.chrom and max(self.start, other.start) < min(self.end, other.end)

    def intersection(self, other: "Interval") -> "Interval | None":
        """The shared bases, None where there are none."""
        if not self.overlaps(other):
            return None
        return Interval(self.chrom, max(self.start, other.start), min(self.end, other.end))


def parse_region(text: str) -> Interval:
    """The interval that a region string names: "chrI:1,001-2,000" (1-based, both ends included) -> chrI 1000 2000.

    Raises: FormatError where the text is no region string.
    """
    match = _REGION.match(text.strip())
    if match is None:
        raise FormatError(f"region '{text}'", "not a region", "NAME:FIRST-LAST, 1-based, such as chrI:1,001-2,000")
    first, last = (int(match[part].replace(",", "") or 0) for part in ("first", "last"))
    if not 1 <= first <= last:
        raise FormatError(f"region '{text}'", f"first base {first}, last base {last}", "1 <= first <= last")
    return Interval(match["chrom"], first - 1, last)
