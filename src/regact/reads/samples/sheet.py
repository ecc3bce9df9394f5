"""The sample sheet: a tab-separated table, a row a sample: its file, its assay, and what differs from the preset."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from regact.errors import ConfigError
from regact.reads.presets import CoverageSettings, coverage_settings
from regact.tracks.sheet_rows import column_problems, read_rows

_NAMED = ("sample", "file", "assay", "description", "groups")
_SETTINGS = tuple(name for name in CoverageSettings.model_fields if name not in _NAMED)


@dataclass(frozen=True)
class SheetRow:
    """One sample: its file and how that becomes coverage.

    Attributes:
        name: Unique; what outputs and tracks are called.
        file: BAM, CRAM, SAM, or a fragment file.
        settings: The assay's, with what the row says otherwise.
        groups: Table of barcodes and groups: one sample for each group.
        description: Of the track, without the assay.
        annotations: Further columns, (column, text): of the track too.
    """

    name: str
    file: Path
    settings: CoverageSettings
    groups: Path | None = None
    description: str = ""
    annotations: tuple[tuple[str, str], ...] = ()


def read_sample_sheet(
    path: Path | str, *, assay: str | None = None, replaced: Mapping[str, Any] | None = None
) -> tuple[SheetRow, ...]:
    """The samples of a TSV with a header.

    Columns are `sample` and `file`; `assay` (or the argument), `description`, `groups`, and any field of
    `CoverageSettings`, whose empty cells leave the preset's value. Relative paths start at the sheet's folder. Columns
    of other names become annotations of the track, unless a name is so near to a known one that it must be a slip.

    Args:
        assay: The assay of rows that name none.
        replaced: Settings that all samples have; a row's own win.

    Raises: FormatError where the sheet cannot be read; ConfigError with every bad row and column at once.
    """
    path = Path(path)
    header, rows = read_rows(path, "sample sheet", "sample")
    problems = column_problems(header, (*_NAMED, *_SETTINGS), ("sample", "file"))
    if problems:
        raise ConfigError(path, problems)
    samples = []
    table = [(line, dict(zip(header, fields, strict=True))) for line, fields in rows]
    for line, row in table:
        sample, found = _parse_row(row, path.parent.absolute(), assay, replaced or {})
        problems += [f"line {line} ({row['sample'] or 'no name'}): {problem}" for problem in found]
        samples += [] if sample is None else [sample]
    problems += _name_problems([row["sample"] for _, row in table])
    if problems:
        raise ConfigError(path, problems)
    return tuple(samples)


def _parse_row(
    row: Mapping[str, str], folder: Path, assay: str | None, replaced: Mapping[str, Any]
) -> tuple[SheetRow | None, list[str]]:
    """The sample of a row, None where anything is wrong; and what is."""
    problems = []
    name = row["sample"]
    if not re.fullmatch(r"[\w.+-]+", name):
        problems.append(f"sample {name!r}; needed letters, digits, or any of _ . + -")
    files = {column: folder / Path(row[column]).expanduser() for column in ("file", "groups") if row.get(column)}
    problems += [f"{column} {file} does not exist" for column, file in files.items() if not file.is_file()]
    if "file" not in files:
        problems.append("file is empty")
    own = {column: _value(row[column]) for column in _SETTINGS if row.get(column)}
    kind = row.get("assay") or assay or ""
    if not kind:
        problems.append("assay is empty; name it here or with --assay")
    try:
        settings = coverage_settings(kind, **{**replaced, **own}) if kind else None
    except ConfigError as error:
        problems += error.problems
    if problems or settings is None:
        return None, problems
    further = tuple((column, text) for column, text in row.items() if column not in (*_NAMED, *_SETTINGS))
    return SheetRow(name, files["file"], settings, files.get("groups"), row.get("description", ""), further), []


def _value(text: str) -> object:
    """A cell as --set would read it; text where it is no YAML, for the settings' check to refuse."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _name_problems(names: Sequence[str]) -> list[str]:
    lower = [name.lower() for name in names]
    twice = sorted({name for name in lower if name and lower.count(name) > 1})
    return [
        f"sample {name!r} stands there {lower.count(name)} times (case apart); needed unique names" for name in twice
    ]
