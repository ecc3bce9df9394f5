"""Reading a track sheet: every bad row and column told at once, before any work."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from regact.errors import ConfigError
from regact.tracks.repeated_names import number_repeats
from regact.tracks.sheet import COLUMNS, FILE_SEPARATOR, Track, TrackSheet
from regact.tracks.sheet_rows import column_problems, read_rows
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
    lines, rows = _read_rows(path)
    tracks, problems = _parse_rows(path, lines, rows)
    if check_files:
        problems += _missing_files(tracks, lines)
    return _join(path, tracks, lines, rows, problems + _duplicate_problems(tracks, lines))


def read_published_sheet(path: str | Path, *, tell: Callable[[str], object] = lambda remark: None) -> TrackSheet:
    """The sheet of values or weights that are there already (`targets.txt` of public data), as `read_track_sheet`.

    Its files may be gone, its `sum_stat` may be any, and identifiers that stand there more than once, which published
    tables have, are told apart by numbers (`number_repeats`); `tell` is called with a remark then.

    Raises: as `read_track_sheet`.
    """
    path = Path(path)
    lines, rows = _read_rows(path)
    tracks, problems = _parse_rows(path, lines, rows, any_sum_stat=True)
    names = number_repeats([track.identifier for track in tracks], path, tell)
    tracks = [replace(track, identifier=name) for track, name in zip(tracks, names, strict=True)]
    return _join(path, tracks, lines, rows, problems)


def _read_rows(path: Path) -> tuple[list[int], list[dict[str, str]]]:
    """Line number of each row, and its fields by column. Raises: ConfigError where columns are wrong."""
    header, rows = read_rows(path, "track sheet", "track")
    header[0] = header[0] or "index"
    if problems := column_problems(header, COLUMNS, ("identifier", "file")):
        raise ConfigError(path, problems)
    return [line for line, _ in rows], [dict(zip(header, fields, strict=True)) for _, fields in rows]


def _parse_rows(
    path: Path, lines: Sequence[int], rows: Sequence[dict[str, str]], *, any_sum_stat: bool = False
) -> tuple[list[Track], list[str]]:
    """The tracks without their strand pairs, and what is wrong with their rows."""
    tracks, problems = [], []
    for line, row in zip(lines, rows, strict=True):
        track, found = _parse_row(row, path.parent.absolute(), any_sum_stat)
        tracks.append(track)
        problems += [_in_row(line, track, problem) for problem in found]
    return tracks, problems


def _missing_files(tracks: Sequence[Track], lines: Sequence[int]) -> list[str]:
    return [
        _in_row(line, track, f"file {file} does not exist")
        for line, track in zip(lines, tracks, strict=True)
        for file in track.files
        if not file.is_file()
    ]


def _in_row(line: int, track: Track, problem: str) -> str:
    return f"line {line} ({track.identifier or 'no identifier'}): {problem}"


def _join(
    path: Path, tracks: Sequence[Track], lines: Sequence[int], rows: Sequence[dict[str, str]], problems: list[str]
) -> TrackSheet:
    """The sheet of tracks, strands paired. Raises: ConfigError where anything is wrong."""
    paired, pair_problems = _pair_strands(tracks, rows, lines)
    if problems + pair_problems:
        raise ConfigError(path, problems + pair_problems)
    return TrackSheet(tuple(paired), path)


def _parse_row(row: dict[str, str], folder: Path, any_sum_stat: bool) -> tuple[Track, list[str]]:
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
        sum_stat=_sum_stat(row.get("sum_stat", ""), any_sum_stat, problems),
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


def _sum_stat(text: str, any_name: bool, problems: list[str]) -> str:
    name = SUM_STAT_ALIASES.get(text, text) or "sum"
    if name not in SUM_STATS and not any_name:
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
