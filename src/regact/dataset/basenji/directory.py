"""A Basenji data directory: its `statistics.json`, `targets.txt`, `sequences.bed` and `tfrecords`, held together."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from regact.dataset.basenji.record import RecordShape, read_window
from regact.dataset.basenji.tfrecord import read_records
from regact.dataset.basenji.window import SourceWindow
from regact.dataset.window_bed import read_window_bed
from regact.errors import ConfigError, FormatError
from regact.tracks import TrackSheet, read_published_sheet

# Hidden files, such as `._train-0.tfr` beside each that went through a Mac, are none of the data's.
_SHARD = re.compile(r"(?P<label>[^.].*)-(?P<number>\d+)\.tfr")
_BASE_CODES = 4


class Statistics(BaseModel):
    """The keys of `statistics.json` that matter, with the defaults of Basenji's own readers.

    `seq_1hot` is not among them: how bases are coded is plain from the size of a record.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    num_targets: int = Field(gt=0)
    seq_length: int = Field(gt=0)
    target_length: int = Field(gt=0)
    pool_width: int = Field(gt=0)
    crop_bp: int = Field(default=0, ge=0)
    seq_depth: int = _BASE_CODES

    @property
    def target_bp(self) -> int:
        """Bases that a window's targets cover."""
        return self.target_length * self.pool_width

    @property
    def shape(self) -> RecordShape:
        """What every record holds."""
        return RecordShape(self.seq_length, self.target_length, self.num_targets)

    def windows_of(self, label: str) -> int | None:
        """How many windows it says that a label has, None where it does not say."""
        count = (self.model_extra or {}).get(f"{label}_seqs")
        return count if isinstance(count, int) else None

    def problems(self) -> list[str]:
        """What in it cannot be."""
        found = []
        if self.seq_depth != _BASE_CODES:
            found.append(f"seq_depth is {self.seq_depth}; needed {_BASE_CODES}: sequence alone")
        if self.crop_bp % self.pool_width or self.seq_length != 2 * self.crop_bp + self.target_bp:
            found.append(
                f"seq_length {self.seq_length}, crop_bp {self.crop_bp}, pool_width {self.pool_width} and target_length "
                f"{self.target_length} do not fit; needed whole bins, and crop_bp twice beside them in seq_length"
            )
        return found


@dataclass(frozen=True)
class BasenjiDirectory:
    """What a data directory holds, its parts found to agree.

    Attributes:
        path: The folder.
        statistics: `statistics.json`.
        sheet: `targets.txt`.
        windows: One row per row of `sequences.bed` whose label has TFRecords, in its order: chrom, start, end (of the
            model's input, which may reach beyond a contig), label.
        shards: For each label its files, in their order.
        remarks: What a user must know of them.
    """

    path: Path
    statistics: Statistics
    sheet: TrackSheet
    windows: pd.DataFrame
    shards: dict[str, tuple[Path, ...]]
    remarks: tuple[str, ...]


def read_directory(path: Path) -> BasenjiDirectory:
    """The parts of a data directory, TFRecords unread.

    Raises: FormatError where a part is missing or no such file; ConfigError with everything in which they disagree.
    """
    statistics = _read_statistics(path / "statistics.json")
    remarks: list[str] = []
    sheet = read_published_sheet(path / "targets.txt", tell=remarks.append)
    bed = _read_bed(path / "sequences.bed", statistics)
    shards, problems = _find_shards(path / "tfrecords")
    counts = Counter(bed["label"].tolist())
    problems = statistics.problems() + problems
    if len(sheet) != statistics.num_targets:
        problems.append(
            f"targets.txt has {len(sheet):,} tracks, statistics.json {statistics.num_targets:,} num_targets"
        )
    for label, count in counts.items():
        said = statistics.windows_of(label)
        if said not in (None, count):
            problems.append(f"sequences.bed has {count:,} rows of {label}, statistics.json {said:,} {label}_seqs")
    problems += [f"tfrecords/{label}-*.tfr have no rows in sequences.bed" for label in shards if label not in counts]
    if problems:
        raise ConfigError(path, problems)
    windows = bed[bed["label"].isin(list(shards))].reset_index(drop=True)
    remarks += [
        f"{count:,} windows of {label} have no TFRecords: left out"
        for label, count in counts.items()
        if label not in shards
    ]
    return BasenjiDirectory(path, statistics, sheet, windows, shards, tuple(remarks))


def read_shard(shard: Path, shape: RecordShape) -> Iterator[SourceWindow]:
    """The windows of a TFRecord file, in its order.

    Raises: FormatError naming file, record and, where it is cut off or damaged, byte.
    """
    for number, record in enumerate(read_records(shard)):
        yield read_window(record, shape, f"{shard}, record {number}")


def _read_statistics(path: Path) -> Statistics:
    needed = "the statistics.json of a Basenji data directory"
    try:
        values: Any = json.loads(path.read_text(encoding="utf-8"))
        return Statistics.model_validate(values)
    except OSError as error:
        raise FormatError(path, f"cannot be read ({error.strerror})", needed) from None
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors())
        raise FormatError(path, problems, needed) from None
    except ValueError as error:
        raise FormatError(path, f"is no JSON ({error})", needed) from None


def _read_bed(path: Path, statistics: Statistics) -> pd.DataFrame:
    """The rows of `sequences.bed` as the model's input; the file holds targets, or in the oldest sets whole windows."""
    rows = read_window_bed(path)
    lengths = rows["end"] - rows["start"]
    cropped = bool((lengths == statistics.target_bp).all())
    if not cropped and not (lengths == statistics.seq_length).all():
        usual = lengths[0] if lengths[0] == statistics.seq_length else statistics.target_bp
        line = int((lengths != usual).argmax())
        raise FormatError(
            f"{path} line {line + 1}",
            f"a window of {lengths[line]:,} bp",
            f"the target's {statistics.target_bp:,} bp, or the whole window's {statistics.seq_length:,}, in every line",
        )
    crop = statistics.crop_bp if cropped else 0
    return rows.assign(start=rows["start"] - crop, end=rows["end"] + crop)


def _find_shards(folder: Path) -> tuple[dict[str, tuple[Path, ...]], list[str]]:
    """The TFRecord files of each label in their order, and which are missing between them."""
    found: dict[str, dict[int, Path]] = {}
    for file in folder.glob("*.tfr"):
        if match := _SHARD.fullmatch(file.name):
            found.setdefault(match["label"], {})[int(match["number"])] = file
    problems = [] if found else [f"no files LABEL-NUMBER.tfr in {folder}"]
    for label, files in sorted(found.items()):
        missing = sorted(set(range(max(files) + 1)) - set(files))
        if missing:
            shown = ", ".join(f"{label}-{number}.tfr" for number in missing[:3])
            problems.append(f"{len(missing):,} files are missing from tfrecords: {shown}{', ...' * (len(missing) > 3)}")
    return {label: tuple(files[n] for n in sorted(files)) for label, files in sorted(found.items())}, problems
