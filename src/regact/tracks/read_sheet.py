"""Reading a track sheet: every bad row and column told at once, before any work."""

import csv
import math
from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches
from itertools import zip_longest
from pathlib import Path

from regact.errors import ConfigError, FormatError
from regact.tracks.sheet import COLUMNS, FILE_SEPARATOR, Track, TrackSheet
from regact.tracks.transform import SUM_STATS

SUM_STAT_ALIASES = {"avg": "mean"}
# Values that Basenji knows and this project does not, and what comes nearest.
UNSUPPORTED_SUM_STATS = {
    "median": "mean",
    "peak": "mean with a clip",
    "mean_sqrt": "sum_sqrt with a smaller scale",
    "sqrt": "sum_sqrt",
    "exp75": "sum_exp75",
}


def read_track_sheet(path: str | Path, *, check_files: bool = True) -> TrackSheet:
    """The tracks of a TSV with a header of Basenji's column names; only `identifier` and `file` are needed.

    A first column without a name is the index, as in Basenji's `targets.txt`. `strand_pair` names another row by its
    index (by its position from 0 where there is no index column). `file` may name several files, separated by commas;
    relative paths start at the sheet's folder. An empty field takes its default. Columns of other names are kept as
    annotations, unless the name is so near to a valid one that it must be a slip.

    Args:
        path: The sheet.
        check_files: False for a sheet kept beside a store, whose signal files may be gone.

    Raises: FormatError if it cannot be read; ConfigError with every bad row and column at once.
    """
    path = Path(path)
    header, rows = _read_rows(path)
    problems = _column_problems(header)
    if problems:
        raise ConfigError(path, problems)
    tracks = []
    for line, fields in rows:
        track, found = _parse_row(dict(zip(header, fields, strict=True)), path.parent.absolute())
        if check_files:
            found += [f"file {file} does not exist" for file in track.files if not file.is_file()]
        tracks.append(track)
        problems += [f"line {line} ({track.identifier or 'no identifier'}): {problem}" for problem in found]
    lines = [line for line, _ in rows]
    problems += _duplicate_problems(tracks, lines)
    tracks, pair_problems = _pair_strands(tracks, [dict(zip(header, fields, strict=True)) for _, fields in rows], lines)
    if problems + pair_problems:
        raise ConfigError(path, problems + pair_problems)
    return TrackSheet(tuple(tracks), path)


def _read_rows(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header, and each row that is not blank with its line number, filled up to the header's length."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            lines = [(line, row) for line, row in enumerate(csv.reader(handle, delimiter="\t"), start=1) if any(row)]
    except FileNotFoundError:
        raise FormatError(path, "no such file", "a track sheet (TSV)") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise FormatError(path, f"not a text table ({error})", "a track sheet: tab-separated UTF-8 text") from None
    except OSError as error:
        raise FormatError(path, f"cannot be read ({error.strerror})", "a track sheet (TSV)") from None
    open_quotes = [
        f"row {row}: a double quote is not closed, so the rows below would be taken into one field; remove it"
        for row, (_, fields) in enumerate(lines, start=1)
        if any("\n" in field or "\r" in field for field in fields)
    ]
    if open_quotes:
        raise ConfigError(path, open_quotes)
    if len(lines) < 2:
        raise ConfigError(path, ["the track sheet is empty: a header line and at least one track are needed"])
    header = [name.strip() for name in lines[0][1]]
    if len(header) == 1:
        raise ConfigError(path, [f"the header {header[0]!r} has one column: columns must be separated by tabs"])
    header[0] = header[0] or "index"
    long = [
        f"line {line}: {len(row)} fields under {len(header)} columns" for line, row in lines if len(row) > len(header)
    ]
    if long:
        raise ConfigError(path, long)
    filled = [(line, [field.strip() for _, field in zip_longest(header, row, fillvalue="")]) for line, row in lines[1:]]
    return header, filled


def _column_problems(header: Sequence[str]) -> list[str]:
    problems = [f"column {name!r} is missing" for name in ("identifier", "file") if name not in header]
    problems += [f"column {name!r} stands there twice" for name in sorted({n for n in header if header.count(n) > 1})]
    for name in header:
        near = get_close_matches(name.lower(), COLUMNS, n=1, cutoff=0.8)
        if name not in COLUMNS and near and near[0] not in header:
            problems.append(f"unknown column {name!r}; did you mean {near[0]!r}?")
    return problems


def _parse_row(row: dict[str, str], folder: Path) -> tuple[Track, list[str]]:
    """The track of one row, defaults where a field is wrong, and what is wrong with it."""
    problems: list[str] = []
    if not row["identifier"]:
        problems.append("identifier is empty")
    files = tuple(
        folder / Path(text.strip()).expanduser() for text in row["file"].split(FILE_SEPARATOR) if text.strip()
    )
    if not files:
        problems.append("file is empty")
    scale = _number(row, "scale", problems)
    if scale == 0:
        problems.append("scale is 0; needed a factor other than 0")
    clip, clip_soft = _limit(row, "clip", problems), _limit(row, "clip_soft", problems)
    if clip is not None and clip_soft is not None and clip_soft > clip:
        problems.append(f"clip_soft {clip_soft:g} is greater than clip {clip:g}; needed clip_soft <= clip")
    track = Track(
        identifier=row["identifier"],
        files=files,
        clip=clip,
        clip_soft=clip_soft,
        scale=1.0 if scale is None else scale,
        sum_stat=_sum_stat(row.get("sum_stat", ""), problems),
        description=row.get("description", ""),
        annotations=tuple((name, text) for name, text in row.items() if name not in COLUMNS),
    )
    return track, problems


def _number(row: dict[str, str], column: str, problems: list[str]) -> float | None:
    text = row.get(column, "")
    if text.lower() in ("", "nan", "na", "none", "."):
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        problems.append(f"{column} {text!r} is not a number")
        return None
    return value


def _limit(row: dict[str, str], column: str, problems: list[str]) -> float | None:
    value = _number(row, column, problems)
    if value is not None and value <= 0:
        problems.append(f"{column} is {value:g}; needed a number > 0, or nothing for no limit")
        return None
    return value


def _sum_stat(text: str, problems: list[str]) -> str:
    name = SUM_STAT_ALIASES.get(text, text) or "sum"
    if name not in SUM_STATS:
        near = UNSUPPORTED_SUM_STATS.get(name) or next(iter(get_close_matches(name, SUM_STATS, n=1)), "")
        hint = f"; nearest: {near}" if near else ""
        kind = "Basenji's, not carried out here" if name in UNSUPPORTED_SUM_STATS else "unknown"
        problems.append(f"sum_stat {name!r} is {kind}; needed one of {', '.join(SUM_STATS)}{hint}")
        return "sum"
    return name


def _duplicate_problems(tracks: Sequence[Track], lines: Sequence[int]) -> list[str]:
    where: dict[str, list[int]] = {}
    for track, line in zip(tracks, lines, strict=True):
        where.setdefault(track.identifier, []).append(line)
    return [
        f"identifier {name!r} stands on lines {', '.join(map(str, found))}; needed unique identifiers"
        for name, found in where.items()
        if name and len(found) > 1
    ]


def _pair_strands(
    tracks: Sequence[Track], rows: Sequence[dict[str, str]], lines: Sequence[int]
) -> tuple[list[Track], list[str]]:
    """The tracks with `strand_pair` as positions in the sheet, and every index or pair that is wrong."""
    names = [row.get("index") or str(position) for position, row in enumerate(rows)]
    position_of: dict[str, int] = {}
    problems = []
    for position, name in enumerate(names):
        if not name.isdecimal():
            problems.append(f"line {lines[position]}: index {name!r} is not a whole number")
        elif name in position_of:
            problems.append(f"line {lines[position]}: index {name} stands there twice")
        position_of.setdefault(name, position)
    pairs = []
    for position, row in enumerate(rows):
        partner = row.get("strand_pair") or names[position]
        if partner not in position_of:
            problems.append(
                f"line {lines[position]} ({tracks[position].identifier}): strand_pair {partner} is not the index of a"
                f" row ({names[0]} to {names[-1]})"
            )
        pairs.append(position_of.get(partner, position))
    problems += [
        _not_mutual(tracks, lines, position, pairs) for position, pair in enumerate(pairs) if pairs[pair] != position
    ]
    return [replace(track, strand_pair=pair) for track, pair in zip(tracks, pairs, strict=True)], problems


def _not_mutual(tracks: Sequence[Track], lines: Sequence[int], position: int, pairs: Sequence[int]) -> str:
    other = pairs[position]
    return (
        f"line {lines[position]} ({tracks[position].identifier}): strand_pair is {tracks[other].identifier}, whose own"
        f" strand_pair is {tracks[pairs[other]].identifier}; needed rows that name each other"
    )
