"""What an import will do, decided and checked before a value is read."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int64

from regact.dataset.basenji.config import BasenjiH5Source, BasenjiSource, StorageSettings
from regact.dataset.basenji.window import SourceWindow
from regact.dataset.config import SPLITS, DatasetConfig, SplitAsImported
from regact.dataset.schema import GenomeRecord, SourceRecord, StoreHeader, TrackRecord, digest
from regact.dataset.window_bed import intervals_of
from regact.errors import ConfigError
from regact.genome import ContigAlias, Genome, Interval, Regions, match_contigs, natural_order, parse_contig_alias
from regact.tracks import TrackSheet

_IMPORTED_TRANSFORM = 0  # whatever made the values, it was not ours


@dataclass(frozen=True)
class Part:
    """Windows that are read in one go: a TFRecord file, or some rows of an HDF5 file.

    Attributes:
        name: Says which.
        read: Gives its windows; can be pickled.
        first: The source's number of its first window; the others follow.
        n_windows: How many it must give.
    """

    name: str
    read: Callable[[], Iterable[SourceWindow]]
    first: int
    n_windows: int


@dataclass(frozen=True)
class Survey:
    """What a source holds.

    Attributes:
        where: Its folder or file.
        sheet: Its tracks.
        window_bp, bin_bp, crop_bins: Its windows.
        places: Of each window in the order of `parts`: chrom, start, end (the model's input), label.
        parts: What it is read in.
        files: All that it consists of.
        remarks: What a user must know.
        located: Whether the places are on a genome.
    """

    where: Path
    sheet: TrackSheet
    window_bp: int
    bin_bp: int
    crop_bins: int
    places: pd.DataFrame
    parts: tuple[Part, ...]
    files: tuple[Path, ...]
    remarks: tuple[str, ...]
    located: bool = True


@dataclass(frozen=True)
class ImportPlan:
    """What will be imported.

    Attributes:
        header: The store's header; digests, remarks on values and, where sequences are kept, the checksum are to come.
        windows: The window table, in the genome's order.
        rows: For each window of the source, in its order, the row of the table.
        parts: What the source is read in.
        genome: The genome to compare sequences with; None where the store shall keep them.
        not_finite: "stop" or "clip".
        files: Of each file of the source, size and time of change.
    """

    header: StoreHeader
    windows: pd.DataFrame
    rows: Int64[np.ndarray, " window"]
    parts: tuple[Part, ...]
    genome: Genome | None
    not_finite: str
    files: Mapping[str, Sequence[int]]

    @property
    def config(self) -> DatasetConfig:
        """The store's settings."""
        return self.header.config

    @property
    def target_bytes(self) -> int:
        """Size of all targets, not compressed."""
        return len(self.windows) * self.config.n_bins * len(self.header.tracks) * 2

    def identity(self) -> dict[str, Any]:
        """What must be the same for an import to continue another."""
        header = self.header.model_dump(mode="json", exclude={"created", "regact_version", "remarks", "track_sheet"})
        config = header.pop("config")
        return {
            **{name: header[name] for name in ("schema_version", "source", "genome", "tracks", "folds", "roles")},
            **{f"dataset.{name}": value for name, value in config.items()},
            "files (size, time)": {name: list(state) for name, state in self.files.items()},
            "windows": digest(self.windows["start"].to_numpy(), self.rows),
        }


def plan_import(
    survey: Survey,
    source: BasenjiSource | BasenjiH5Source,
    storage: StorageSettings,
    *,
    genome: Genome | None,
    contig_alias: str | None = None,
    expected: DatasetConfig | None = None,
) -> ImportPlan:
    """What becomes of a source that was surveyed.

    Raises: ConfigError, ContigError where it does not fit the genome or what is expected of it.
    """
    where = survey.where
    if genome is not None and not survey.located:
        raise ConfigError(where, ["its sequences have no coordinates to compare with a genome; give them with --bed"])
    config = storage.with_windows(window_bp=survey.window_bp, bin_bp=survey.bin_bp, crop_bins=survey.crop_bins)
    _expect(config, expected, where)
    roles = _roles_of(survey.places["label"].unique(), storage.split, where)
    places, lengths = _place_on_genome(survey.places, genome, parse_contig_alias(contig_alias), where)
    windows, rows = _lay_windows(places, roles, list(lengths), config)
    leaks = _describe_leaks(windows, config.max_shift_bp) if survey.located else []
    kept = () if genome else ("no genome given: the store keeps its sequences, and shifts read N beside them",)
    return ImportPlan(
        header=_make_header(survey, source.format, config, roles, genome, lengths, contig_alias, (*kept, *leaks)),
        windows=windows,
        rows=rows,
        parts=survey.parts,
        genome=genome,
        not_finite=source.not_finite,
        files=_file_states(survey.files),
    )


def _lay_windows(
    places: pd.DataFrame, roles: Mapping[str, str], chroms: Sequence[str], config: DatasetConfig
) -> tuple[pd.DataFrame, Int64[np.ndarray, " window"]]:
    """The window table of a store, and the row in it of each window of the source.

    Args:
        places: Of each window of the source: chrom, start, end (the model's input), label.
        roles: The split of each label.
        chroms: Contigs, in the genome's order.
    """
    order = np.lexsort((places["start"], pd.Index(chroms).get_indexer(pd.Index(places["chrom"]))))
    table = places.iloc[order].reset_index(drop=True)
    rows = np.empty(len(order), np.int64)
    rows[order] = np.arange(len(order))
    # A new stretch begins where contig or label change, or a target does not begin where the last one ended.
    ends = table["start"] + config.crop_bp + config.target_bp
    same = (table["chrom"] == table["chrom"].shift()) & (table["label"] == table["label"].shift())
    goes_on = same & (table["start"] + config.crop_bp <= ends.shift())
    windows = table[["chrom", "start", "end"]].assign(
        split=table["label"].map(roles), fold=table["label"], contig=(~goes_on).cumsum() - 1
    )
    return windows, rows


def _roles_of(labels: Iterable[str], split: SplitAsImported, where: object) -> dict[str, str]:
    """The split of each label: itself, or of folds what `split` says. In natural order, splits as in `SPLITS`.

    Raises: ConfigError where labels are neither splits nor folds, or `split` names a fold that is not there.
    """
    found = set(labels)
    if found <= set(SPLITS):
        if split != SplitAsImported():
            folds = ", ".join([*split.valid, *split.test])
            found_text = f"{folds} named as folds, but windows come as train, valid and test"
            raise ConfigError(where, [f"{found_text}; needed no folds to be named (--valid, --test or dataset.split)"])
        return {name: name for name in SPLITS if name in found}
    named = {fold: role for role in ("valid", "test") for fold in getattr(split, role)}
    problems = [f"labels {', '.join(sorted(found & set(SPLITS)))} beside folds"] if found & set(SPLITS) else []
    problems += [f"there is no {fold}, which {named[fold]} names" for fold in named if fold not in found]
    problems += [f"{fold} is both valid and test" for fold in set(split.valid) & set(split.test)]
    if problems:
        raise ConfigError(where, [f"{problem}; it holds {', '.join(natural_order(found))}" for problem in problems])
    return {fold: named.get(fold, "train") for fold in natural_order(found)}


def _place_on_genome(
    places: pd.DataFrame, genome: Genome | None, alias: ContigAlias | None, where: object
) -> tuple[pd.DataFrame, dict[str, int]]:
    """The places under the genome's names of contigs, and its contigs; without a genome those that windows reach.

    Raises: ContigError where names do not agree.
    """
    chroms = natural_order(places["chrom"].unique())
    if genome is None:
        ends = places.groupby("chrom")["end"].max()
        return places, {chrom: int(ends[chrom]) for chrom in chroms}
    ours = {
        theirs: name
        for name, theirs in match_contigs(genome.lengths, dict.fromkeys(chroms), where=where, alias=alias).items()
    }
    lacking = [chrom for chrom in chroms if chrom not in ours]
    if lacking:
        raise ConfigError(where, [f"windows on {', '.join(lacking[:5])}, which {genome.path} does not have"])
    return places.assign(chrom=places["chrom"].map(ours)), dict(genome.lengths)


def _make_header(
    survey: Survey,
    source_format: str,
    config: DatasetConfig,
    roles: dict[str, str],
    genome: Genome | None,
    lengths: dict[str, int],
    contig_alias: str | None,
    remarks: tuple[str, ...],
) -> StoreHeader:
    path = str(survey.where.absolute())
    record = GenomeRecord(name=survey.where.name, path=path, checksum="", lengths=lengths, kept=True)
    if genome is not None:
        record = GenomeRecord(
            name=genome.name, path=str(genome.path.absolute()), checksum=genome.checksum, lengths=lengths
        )
    return StoreHeader(
        config=config,
        genome=record,
        contig_alias=contig_alias,
        tracks=tuple(TrackRecord.of(track) for track in survey.sheet.tracks),
        track_sheet=str(survey.sheet.path.absolute()),
        transform_version=_IMPORTED_TRANSFORM,
        folds=tuple(roles),
        roles=roles,
        source=SourceRecord(format=source_format, path=path),
        remarks=(*survey.remarks, *remarks),
        regact_version=version("regact"),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _describe_leaks(windows: pd.DataFrame, max_shift_bp: int) -> list[str]:
    """A sentence on windows that read bases of another split's training windows, or touch them; none where none do."""
    regions = {
        split: Regions.from_intervals(intervals_of(windows[windows["split"] == split])) for split in ("valid", "test")
    }
    training = windows[windows["split"] == "train"]
    reach = max(1, 2 * max_shift_bp)
    near = Regions.from_intervals(Interval(w.chrom, w.start - reach, w.end + reach) for w in intervals_of(training))
    sentences = []
    for split in regions:
        judged = list(intervals_of(windows[windows["split"] == split]))
        touching = sum(near.overlaps(window) for window in judged)
        if touching:
            sentences.append(
                f"{touching:,} of {len(judged):,} {split} windows touch a training window or share bases with one: "
                f"what neighbours tell of each other raises scores on {split}"
            )
    return sentences


def _expect(config: DatasetConfig, expected: DatasetConfig | None, where: object) -> None:
    """Raise ConfigError with every difference where the data's windows are not those that an experiment wants."""
    if expected is None:
        return
    problems = [
        f"dataset.{name} is {getattr(expected, name)}; the data have {getattr(config, name)}"
        for name in ("window_bp", "bin_bp", "crop_bins")
        if getattr(expected, name) != getattr(config, name)
    ]
    if problems:
        raise ConfigError(where, problems)


def _file_states(files: Iterable[Path]) -> dict[str, list[int]]:
    """Size and time of change of each file, by its path."""
    return {str(file.absolute()): [file.stat().st_size, file.stat().st_mtime_ns] for file in files}
