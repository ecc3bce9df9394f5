"""Windows as a BED file without a header: chrom, start, end and a label, which is a split or a fold."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from regact.engine import whole_file
from regact.errors import FormatError
from regact.genome import Interval

_COLUMNS = ["chrom", "start", "end", "label"]


def read_window_bed(path: Path) -> pd.DataFrame:
    """The rows of such a file: chrom, start, end, label; further columns are left out, and blank lines at its end.

    Raises: FormatError naming the line that is no such row.
    """
    rows = []
    needed = "chrom, start, end and label, with tabs between"
    try:
        lines = path.read_text(encoding="utf-8").rstrip("\r\n").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(path, f"cannot be read ({error})", f"a BED file: {needed}") from None
    for number, line in enumerate(lines, start=1):
        fields = line.split("\t")
        if len(fields) < 4 or not (fields[1].isdecimal() and fields[2].isdecimal() and int(fields[1]) < int(fields[2])):
            raise FormatError(f"{path} line {number}", f"{line[:60]!r}", needed)
        rows.append((fields[0], int(fields[1]), int(fields[2]), fields[3].strip()))
    if not rows:
        raise FormatError(path, "no rows", needed)
    return pd.DataFrame(rows, columns=_COLUMNS)


def write_window_bed(path: Path, windows: pd.DataFrame) -> None:
    """Write windows (chrom, start, end, label), whole or not at all; what lies before a contig's first base is cut."""
    with whole_file(path) as temporary:
        table = windows[_COLUMNS].assign(start=windows["start"].clip(lower=0))
        table.to_csv(temporary, sep="\t", header=False, index=False, lineterminator="\n")


def intervals_of(windows: pd.DataFrame) -> Iterator[Interval]:
    """The interval of each row of a window table."""
    columns = (windows[name].tolist() for name in ("chrom", "start", "end"))
    return (Interval(*place) for place in zip(*columns, strict=True))
