"""The track sheet: a tab-separated table with one row per track, under Basenji's column names."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Int64

from regact.engine import whole_file
from regact.errors import ConfigError

COLUMNS = ("index", "identifier", "file", "clip", "clip_soft", "scale", "sum_stat", "strand_pair", "description")
FILE_SEPARATOR = ","


@dataclass(frozen=True)
class Track:
    """One signal: the files it is made of and how its coverage becomes the stored value.

    Attributes:
        identifier: Unique name.
        files: bigWig or bedGraph files; several are replicates, whose coverage is summed.
        clip: Hard limit of the stored value, > 0; None = no limit.
        clip_soft: Value above which the stored value grows with the square root only, > 0; None = nowhere.
        scale: Factor on coverage, not 0. Negative turns round a minus-strand file that holds negative values.
        sum_stat: How a bin's bases become one value, one of `SUM_STATS`; of imported values any name of Basenji's.
        strand_pair: Position in the sheet of the same assay's other strand; the track's own position without strand.
        description: Free text, `ASSAY:...` by custom.
        annotations: Further columns of the sheet, (column, text), kept but not used.
    """

    identifier: str
    files: tuple[Path, ...]
    clip: float | None = None
    clip_soft: float | None = None
    scale: float = 1.0
    sum_stat: str = "sum"
    strand_pair: int = 0
    description: str = ""
    annotations: tuple[tuple[str, str], ...] = ()

    @property
    def assay(self) -> str:
        """The kind of experiment: text before the first `:` of the description, `OTHER` without one.

        Basenji keeps two fields for CHIP (`CHIP:H3K4me3`); here the antigen stays in the description, and
        `TrackSheet.rows("CHIP:H3K4me3")` finds it.
        """
        before, colon, _ = self.description.partition(":")
        return before.strip() if colon and before.strip() else "OTHER"


@dataclass(frozen=True)
class TrackSheet:
    """The tracks in the order of the model's outputs, and the file they were read from."""

    tracks: tuple[Track, ...]
    path: Path

    def __len__(self) -> int:
        return len(self.tracks)

    @property
    def identifiers(self) -> tuple[str, ...]:
        """Every track's identifier, in order."""
        return tuple(track.identifier for track in self.tracks)

    @property
    def assays(self) -> tuple[str, ...]:
        """Every track's assay, in order (not unique)."""
        return tuple(track.assay for track in self.tracks)

    @property
    def strand_pair(self) -> Int64[np.ndarray, "track"]:
        """The permutation of tracks that the strand swap applies: its own inverse."""
        return np.array([track.strand_pair for track in self.tracks], dtype=np.int64)

    def rows(self, patterns: str | Iterable[str]) -> Int64[np.ndarray, "chosen"]:
        """Positions of the tracks that any pattern names, in the sheet's order.

        A pattern is tried as an identifier, then as an assay (`CAGE`, `CHIP:H3K4me3`), then as a regular expression
        searched in identifier and description.

        Raises: ConfigError naming every pattern that fits no track, with the nearest identifiers.
        """
        wanted = [patterns] if isinstance(patterns, str) else list(patterns)
        chosen: set[int] = set()
        problems = []
        for pattern in wanted:
            found = self._matches(pattern)
            chosen.update(found)
            if not found:
                near = get_close_matches(pattern, [*self.identifiers, *sorted(set(self.assays))], n=3, cutoff=0.5)
                hint = f"; nearest: {', '.join(near)}" if near else f"; assays: {', '.join(sorted(set(self.assays)))}"
                problems.append(f"no track fits {pattern!r}{hint}")
        if problems:
            raise ConfigError(self.path, problems)
        return np.array(sorted(chosen), dtype=np.int64)

    def select(self, patterns: str | Iterable[str]) -> "TrackSheet":
        """The sheet of the tracks that `rows` finds, with strand pairs renumbered.

        Raises: ConfigError where a pattern fits nothing, or a strand pair is torn apart (the strand swap, and so the
            reverse complement of an example, would have no meaning for the track left alone).
        """
        rows = self.rows(patterns).tolist()
        new_position = {row: position for position, row in enumerate(rows)}
        lonely = [self.tracks[row] for row in rows if self.tracks[row].strand_pair not in new_position]
        if lonely:
            raise ConfigError(
                self.path,
                [f"{track.identifier} is chosen without its strand pair {self._partner(track)}" for track in lonely],
            )
        tracks = (replace(self.tracks[row], strand_pair=new_position[self.tracks[row].strand_pair]) for row in rows)
        return TrackSheet(tuple(tracks), self.path)

    def to_table(self) -> pd.DataFrame:
        """One row per track under the sheet's column names; files as absolute paths, absent limits as NaN."""
        return self._table(Path())

    def write(self, path: str | Path) -> None:
        """Write the sheet as TSV, whole or not at all; files in or below its folder become relative to it."""
        path = Path(path)
        with whole_file(path) as temporary:
            self._table(path.parent.absolute()).to_csv(temporary, sep="\t", index=False, lineterminator="\n")

    def _partner(self, track: Track) -> str:
        return self.tracks[track.strand_pair].identifier

    def _matches(self, pattern: str) -> list[int]:
        tracks = list(enumerate(self.tracks))
        exact = [row for row, track in tracks if track.identifier == pattern]
        assay = [row for row, track in tracks if track.assay == pattern or track.description.startswith(f"{pattern}:")]
        if exact or assay:
            return exact or assay
        try:
            expression = re.compile(pattern)
        except re.error:
            return []
        return [row for row, t in tracks if expression.search(t.identifier) or expression.search(t.description)]

    def _table(self, folder: Path) -> pd.DataFrame:
        rows = [
            {
                "index": row,
                "identifier": track.identifier,
                "file": FILE_SEPARATOR.join(_path_text(file, folder) for file in track.files),
                "clip": math.nan if track.clip is None else track.clip,
                "clip_soft": math.nan if track.clip_soft is None else track.clip_soft,
                "scale": track.scale,
                "sum_stat": track.sum_stat,
                "strand_pair": track.strand_pair,
                "description": track.description,
                **dict(track.annotations),
            }
            for row, track in enumerate(self.tracks)
        ]
        return pd.DataFrame(rows, columns=None if rows else list(COLUMNS))


def _path_text(file: Path, folder: Path) -> str:
    return file.relative_to(folder).as_posix() if file.is_relative_to(folder) else str(file)
