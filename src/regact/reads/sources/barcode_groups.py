"""Which group of cells a barcode belongs to: a table of two columns."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from regact.errors import ConfigError, FormatError
from regact.genome.bed_text import open_text

_HEADERS = ("barcode", "barcodes", "cell", "cell_id", "cell_barcode", "cb")
_SHOWN = 20


@dataclass(frozen=True)
class BarcodeGroups:
    """The groups of a table, in the order in which they first appear.

    Attributes:
        path: The table.
        names: Group names.
        group_of: Barcode -> position in `names`.
    """

    path: Path
    names: tuple[str, ...]
    group_of: Mapping[str, int]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Barcodes of each group."""
        counts = Counter(self.group_of.values())
        return tuple(counts[number] for number in range(len(self.names)))

    @property
    def file_names(self) -> tuple[str, ...]:
        """The names with `_` for what is no letter, digit, `+`, `-` or `.`: fit for files and tracks."""
        return tuple(re.sub(r"[^\w.+-]", "_", name) for name in self.names)


def read_barcode_groups(path: Path | str) -> BarcodeGroups:
    """The groups in a table of barcode and group, with tabs or commas between; plain or gzip.

    A first line that calls its first column `barcode` (or `cell`) is passed over, as are blank lines and those that
    start with #. Further columns are ignored.

    Raises:
        FormatError: The table cannot be read.
        ConfigError: With every bad row: one column only, a barcode in two groups, groups that would share a file name.
    """
    path = Path(path)
    names: dict[str, int] = {}
    group_of: dict[str, int] = {}
    problems = []
    for number, fields in _rows(path):
        if len(fields) < 2 or not all(fields[:2]):
            problems.append(f"line {number}: needed a barcode and a group with a tab or a comma between")
            continue
        barcode, name = fields[:2]
        group = names.setdefault(name, len(names))
        if group_of.setdefault(barcode, group) != group:
            problems.append(f"line {number}: {barcode} is in {name!r} here and in another group above")
    groups = BarcodeGroups(path, tuple(names), group_of)
    problems += _shared_file_names(groups)
    if not group_of and not problems:
        problems.append("no barcode in it")
    if problems:
        more = len(problems) - _SHOWN
        raise ConfigError(path, [*problems[:_SHOWN], *([f"and {more:,} problems more"] if more > 0 else [])])
    return groups


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        with open_text(path) as lines:
            is_first = True
            for number, line in enumerate(lines, start=1):
                text = line.strip()
                if not text or text.startswith("#"):
                    continue
                fields = [field.strip().strip('"') for field in text.split("\t" if "\t" in text else ",")]
                if not (is_first and fields[0].lower() in _HEADERS):
                    yield number, fields
                is_first = False
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise FormatError(path, f"cannot be read ({error})", "a table of barcodes and groups") from error


def _shared_file_names(groups: BarcodeGroups) -> list[str]:
    first: dict[str, str] = {}
    return [
        f"groups {other!r} and {name!r} would both be written as {file_name}"
        for name, file_name in zip(groups.names, groups.file_names, strict=True)
        # Some file systems do not tell upper case from lower.
        if (other := first.setdefault(file_name.lower(), name)) != name
    ]
