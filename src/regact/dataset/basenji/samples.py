"""The tracks of the HDF5 of 2018 as a sheet, files from `sample_wigs.txt` where that is at hand."""

from collections import Counter
from pathlib import Path

from regact.dataset.basenji.hdf5 import Hdf5Layout
from regact.errors import ConfigError, FormatError
from regact.tracks import Track, TrackSheet

_NEEDED = "identifier, file and perhaps a label, with tabs between and no header"


def read_samples(layout: Hdf5Layout, samples: Path | None) -> TrackSheet:
    """The sheet of the file's tracks: sums of coverage, no strands, no clip.

    Of `samples` each row gives its track's file, and its label where the HDF5 has none.

    Raises: FormatError where `samples` is no such table; ConfigError where it has other tracks than the HDF5.
    """
    table = dict.fromkeys(layout.identifiers, (layout.path, "")) if samples is None else _read_table(samples)
    wrong = {
        "tracks of the HDF5 that it does not have": [name for name in layout.identifiers if name not in table],
        "samples that the HDF5 does not have": sorted(set(table) - set(layout.identifiers)),
        "tracks of the HDF5 that stand there twice": [
            n for n, count in Counter(layout.identifiers).items() if count > 1
        ],
    }
    problems = [f"{text}: {_some(names)}" for text, names in wrong.items() if names]
    if problems:
        raise ConfigError(samples or layout.path, problems)
    tracks = [
        Track(name, (table[name][0],), strand_pair=number, description=label or table[name][1])
        for number, (name, label) in enumerate(zip(layout.identifiers, layout.labels, strict=True))
    ]
    return TrackSheet(tuple(tracks), samples or layout.path)


def read_sample_sheet(samples: Path) -> TrackSheet:
    """The tracks of a `sample_wigs.txt` alone, in its order, which is that of the published weights.

    Raises: FormatError where it is no such table.
    """
    rows = enumerate(_read_table(samples).items())
    tracks = (Track(name, (file,), strand_pair=row, description=label) for row, (name, (file, label)) in rows)
    return TrackSheet(tuple(tracks), samples)


def _read_table(path: Path) -> dict[str, tuple[Path, str]]:
    """File and label of each identifier."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(path, f"cannot be read ({error})", _NEEDED) from None
    table = {}
    for number, line in enumerate(lines, start=1):
        fields = [field.strip() for field in line.split("\t")]
        if not line.strip():
            continue
        if len(fields) < 2 or not fields[0] or fields[0] in table:
            raise FormatError(f"{path} line {number}", f"{line[:60]!r}", f"{_NEEDED}, each identifier once")
        table[fields[0]] = (Path(fields[1]), fields[2] if len(fields) > 2 else "")
    return table


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")
