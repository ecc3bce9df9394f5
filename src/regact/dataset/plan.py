"""Everything a build decides and checks before it reads a value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool

from regact.dataset.config import DatasetConfig
from regact.dataset.mask import mask_windows
from regact.dataset.schema import GenomeRecord, StoreHeader, TrackRecord, digest
from regact.dataset.splits import divide_genome
from regact.dataset.windows import check_splits, drop_masked, tile_windows
from regact.engine import progress
from regact.errors import ConfigError, RegactError
from regact.genome import ContigAlias, Genome, Interval, Regions, load_genome, parse_contig_alias, read_bed
from regact.tracks import TRANSFORM_VERSION, TrackSheet, open_signals, read_track_sheet

_SHOWN_PROBLEMS = 10
_SHOWN_NAMES = 3


@dataclass(frozen=True)
class BuildPlan:
    """What will be built.

    Attributes:
        genome: The genome.
        sheet: The track sheet.
        contig_names: For each track and each of its files, the file's name of each contig that holds windows.
        windows: The window table.
        mask: Which bins count.
        blacklist: Bases to clip to the window's baseline.
        covered: The stretches that hold windows, without the blacklist: where depth is measured.
        header: The store's header; depth factors and digests are still to come.
    """

    genome: Genome
    sheet: TrackSheet
    contig_names: tuple[tuple[dict[str, str], ...], ...]
    windows: pd.DataFrame
    mask: Bool[np.ndarray, "window bin"] = field(repr=False)
    blacklist: Regions
    covered: tuple[Interval, ...]
    header: StoreHeader

    @property
    def config(self) -> DatasetConfig:
        """The settings."""
        return self.header.config

    @property
    def target_bytes(self) -> int:
        """Size of all targets, not compressed."""
        return self.mask.size * len(self.sheet) * 2

    def identity(self) -> dict[str, Any]:
        """What must be the same for a build to continue another: by field, for the user to see which differs."""
        header = self.header.model_dump(mode="json", exclude={"created", "regact_version"})
        config = header.pop("config")
        alias = parse_contig_alias(self.header.contig_alias)
        files = {
            str(file): [file.stat().st_size, file.stat().st_mtime_ns]
            for track in self.sheet.tracks
            for file in track.files
        }
        return {
            **{name: header[name] for name in ("schema_version", "transform_version", "contig_alias", "genome")},
            **{f"dataset.{name}": value for name, value in config.items()},
            "track sheet": header["tracks"],
            "track files (size, time)": files,
            "contig alias table": None if alias is None or alias.table is None else dict(alias.table),
            "windows": _digest_text(self.windows.to_csv(index=False)),
            "mask": digest(self.mask),
            "blacklist": _digest_text(" ".join(str(region) for region in self.blacklist)),
        }


def plan_build(
    genome_path: str | Path,
    sheet_path: str | Path,
    config: DatasetConfig,
    *,
    contig_alias: str | None = None,
) -> BuildPlan:
    """Read genome, sheet and regions, open every track, and lay out windows and mask.

    Raises: Every error that can be told without reading values: FormatError, ConfigError, ContigError, DataError.
    """
    alias = parse_contig_alias(contig_alias)
    sheet = read_track_sheet(sheet_path)
    genome = load_genome(genome_path)
    division = divide_genome(genome, config, alias)
    blacklist = _read_regions(config.blacklist, genome, alias)
    unmappable = _read_regions(config.unmappable, genome, alias)
    tiled = tile_windows(division, config)
    all_masks = mask_windows(tiled, config, genome, blacklist=blacklist, unmappable=unmappable)
    windows, mask, dropped = drop_masked(tiled, all_masks, config)
    remarks = division.left_out + dropped
    check_splits(windows, division, remarks, genome.path)
    chroms = windows["chrom"].unique()
    contig_names, lacking = check_tracks(sheet, {chrom: genome.lengths[chrom] for chrom in chroms}, alias)
    header = StoreHeader(
        config=config,
        genome=GenomeRecord(
            name=genome.name, path=str(genome.path.absolute()), checksum=genome.checksum, lengths=dict(genome.lengths)
        ),
        contig_alias=contig_alias,
        tracks=tuple(TrackRecord.of(track) for track in sheet.tracks),
        track_sheet=str(sheet.path.absolute()),
        transform_version=TRANSFORM_VERSION,
        folds=division.folds,
        roles=division.roles,
        remarks=remarks + lacking,
        regact_version=version("regact"),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    held = set(windows["contig"])
    stretches = [stretch.interval for number, stretch in enumerate(division.stretches) if number in held]
    covered = tuple(part for stretch in stretches for part in blacklist.subtract_from(stretch))
    return BuildPlan(genome, sheet, contig_names, windows, mask, blacklist, covered, header)


def check_tracks(
    sheet: TrackSheet, lengths: Mapping[str, int], alias: ContigAlias | None
) -> tuple[tuple[tuple[dict[str, str], ...], ...], tuple[str, ...]]:
    """The contig names of every track's files, each opened and held against the genome, and remarks on them.

    Raises: FormatError or ContigError, naming all files where they share it; ConfigError with the errors of several.
    """
    found: list[tuple[dict[str, str], ...]] = []
    errors: list[RegactError] = []
    with progress("Checking tracks", len(sheet)) as bar:
        for track in sheet.tracks:
            try:
                signals, names = open_signals(track, lengths, alias)
                found.append(names)
                for signal in signals:
                    signal.close()
            except RegactError as error:
                errors.append(error)
            bar.advance()
    _raise_grouped(errors, sheet)
    return tuple(found), _lacking_contigs(sheet, found, lengths)


def _digest_text(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _raise_grouped(errors: Sequence[RegactError], sheet: TrackSheet) -> None:
    """Raise what is wrong with some files, if anything; what many share (names, an assembly) is said once."""
    groups: dict[tuple[object, ...], list[RegactError]] = {}
    for error in errors:
        groups.setdefault((type(error), error.found, error.needed, error.remedy), []).append(error)
    merged = []
    for first, *others in groups.values():
        where = f"{first.where} and {len(others):,} other files" if others else first.where
        merged.append(type(first)(where, first.found, first.needed, first.remedy) if others else first)
    if len(merged) == 1:
        raise merged[0]
    if merged:
        more = [f"and {len(merged) - _SHOWN_PROBLEMS} tracks more"] if len(merged) > _SHOWN_PROBLEMS else []
        raise ConfigError(sheet.path, [str(error) for error in merged[:_SHOWN_PROBLEMS]] + more)


def _read_regions(path: Path | None, genome: Genome, alias: ContigAlias | None) -> Regions:
    return Regions() if path is None else read_bed(path, genome_lengths=genome.lengths, alias=alias)


def _lacking_contigs(
    sheet: TrackSheet, contig_names: list[tuple[dict[str, str], ...]], lengths: Mapping[str, int]
) -> tuple[str, ...]:
    """A sentence for the contigs that the same tracks have nothing on: their values there are 0."""
    chroms_without: dict[tuple[str, ...], list[str]] = {}
    for chrom in lengths:
        lacking = tuple(
            track.identifier
            for track, names in zip(sheet.tracks, contig_names, strict=True)
            if not any(chrom in of_file for of_file in names)
        )
        if lacking:
            chroms_without.setdefault(lacking, []).append(chrom)
    sentences = [
        f"no data of {_count_names(tracks, 'track')} on {_count_names(chroms, 'contig')}: taken as 0"
        for tracks, chroms in chroms_without.items()
    ]
    more = sum(len(chroms) for chroms in list(chroms_without.values())[_SHOWN_PROBLEMS:])
    unsaid = [f"no data of some tracks on {more:,} contigs more: taken as 0"] if more else []
    return tuple(sentences[:_SHOWN_PROBLEMS] + unsaid)


def _count_names(names: Sequence[str], kind: str) -> str:
    shown = ", ".join(names[:_SHOWN_NAMES]) + (", ..." if len(names) > _SHOWN_NAMES else "")
    return f"{len(names):,} {kind}{'s' if len(names) > 1 else ''} ({shown})"
