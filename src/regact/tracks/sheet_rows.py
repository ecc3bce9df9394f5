"""The text of a sheet: tab-separated, a header, one row a track or sample; and what is wrong with it, all at once."""

import csv
from collections.abc import Sequence
from difflib import get_close_matches
from itertools import zip_longest
from pathlib import Path

from regact.errors import ConfigError, FormatError


def read_rows(path: Path, what: str, row_is: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header, and each row that is not blank with its line number, filled up to the header's length.

    Args:
        what: Name of the kind of sheet, for errors.
        row_is: What a row stands for.

    Raises: FormatError where it cannot be read; ConfigError where it is empty or its rows do not fit its header.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            lines = [(line, row) for line, row in enumerate(csv.reader(handle, delimiter="\t"), start=1) if any(row)]
    except FileNotFoundError:
        raise FormatError(path, "no such file", f"a {what} (TSV)") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise FormatError(path, f"not a text table ({error})", f"a {what}: tab-separated UTF-8 text") from None
    except OSError as error:
        raise FormatError(path, f"cannot be read ({error.strerror})", f"a {what} (TSV)") from None
    open_quotes = [
        f"row {row}: a double quote is not closed, so the rows below would be taken into one field; remove it"
        for row, (_, fields) in enumerate(lines, start=1)
        if any("\n" in field or "\r" in field for field in fields)
    ]
    if open_quotes:
        raise ConfigError(path, open_quotes)
    if len(lines) < 2:
        raise ConfigError(path, [f"the {what} is empty: a header line and at least one {row_is} are needed"])
    header = [name.strip() for name in lines[0][1]]
    if len(header) == 1:
        raise ConfigError(path, [f"the header {header[0]!r} has one column: columns must be separated by tabs"])
    long = [
        f"line {line}: {len(row)} fields under {len(header)} columns" for line, row in lines if len(row) > len(header)
    ]
    if long:
        raise ConfigError(path, long)
    filled = [(line, [field.strip() for _, field in zip_longest(header, row, fillvalue="")]) for line, row in lines[1:]]
    return header, filled


def column_problems(header: Sequence[str], known: Sequence[str], needed: Sequence[str]) -> list[str]:
    """What is wrong with a header: columns that are missing, there twice, or near to a known name by a slip."""
    problems = [f"column {name!r} is missing" for name in needed if name not in header]
    problems += [f"column {name!r} stands there twice" for name in sorted({n for n in header if header.count(n) > 1})]
    for name in header:
        near = get_close_matches(name.lower(), known, n=1, cutoff=0.8)
        if name not in known and near and near[0] not in header:
            problems.append(f"unknown column {name!r}; did you mean {near[0]!r}?")
    return problems
