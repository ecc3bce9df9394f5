"""The tracks of the HDF5 of 2018 as a sheet, files from `sample_wigs.txt` where that is at hand."""

from collections.abc import Callable
from pathlib import Path

from regact.dataset.basenji.hdf5 import Hdf5Layout
from regact.errors import ConfigError, FormatError
from regact.tracks import Track, TrackSheet, number_repeats

_NEEDED = "identifier, file and perhaps a label, with tabs between and no header"


def read_samples(
    layout: Hdf5Layout, samples: Path | None, *, tell: Callable[[str], object] = lambda remark: None
) -> TrackSheet:
    """The sheet of the file's tracks: sums of coverage, no strands, no clip.

    Of `samples` each row gives its track's file, and its label where the HDF5 has none. Identifiers that stand there
    more than once are told apart by numbers, in both by their order; `tell` is called with a remark then.

    Raises: FormatError where `samples` is no such table; ConfigError where it has other tracks than the HDF5.
    """
    identifiers = number_repeats(layout.identifiers, layout.path, tell)
    table = dict.fromkeys(identifiers, (layout.path, ""))
    if samples is not None:
        table = _read_table(samples)
    wrong = {
        "tracks of the HDF5 that it does not have": [name for name in identifiers if name not in table],
        "samples that the HDF5 does not have": sorted(set(table) - set(identifiers)),
    }
    problems = [f"{text}: {_some(names)}" for text, names in wrong.items() if names]
    if problems:
        raise ConfigError(samples or layout.path, problems)
    tracks = [
        Track(name, (table[name][0],), strand_pair=number, description=label or table[name][1])
        for number, (name, label) in enumerate(zip(identifiers, layout.labels, strict=True))
    ]
    return TrackSheet(tuple(tracks), samples or layout.path)


def read_sample_sheet(samples: Path, *, tell: Callable[[str], object] = lambda remark: None) -> TrackSheet:
    """The tracks of a `sample_wigs.txt` alone, in its order, which is that of the published weights.

    Identifiers that stand there more than once are told apart by numbers; `tell` is called with a remark then.

    Raises: FormatError where it is no such table.
    """
    rows = enumerate(_read_table(samples, tell).items())
    tracks = (Track(name, (file,), strand_pair=row, description=label) for row, (name, (file, label)) in rows)
    return TrackSheet(tuple(tracks), samples)


def _read_table(path: Path, tell: Callable[[str], object] = lambda remark: None) -> dict[str, tuple[Path, str]]:
    """File and label of each identifier, in the order of the rows."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(path, f"cannot be read ({error})", _NEEDED) from None
    rows = []
    for number, line in enumerate(lines, start=1):
        fields = [field.strip() for field in line.split("\t")]
        if not line.strip():
            continue
        if len(fields) < 2 or not fields[0]:
            raise FormatError(f"{path} line {number}", f"{line[:60]!r}", _NEEDED)
        rows.append(fields)
    names = number_repeats([fields[0] for fields in rows], path, tell)
    return {
        name: (Path(fields[1]), fields[2] if len(fields) > 2 else "") for name, fields in zip(names, rows, strict=True)
    }


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")
