"""Many samples: each by itself, what is finished kept, and one track sheet and one table of quality for all."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pandas as pd

from regact.engine import run_tasks, whole_file
from regact.errors import ConfigError, OutputExistsError, RegactError
from regact.genome import ContigAlias, Genome, load_genome, match_contigs, parse_contig_alias
from regact.reads.bam_file import read_bam_header
from regact.reads.barcode_groups import BarcodeGroups, read_barcode_groups
from regact.reads.fates import Fates
from regact.reads.fragment_file import is_fragment_file, read_fragments
from regact.reads.fragment_places import fragment_places
from regact.reads.layout import GenomeLayout
from regact.reads.sample import origin_of, read_source, write_sample
from regact.reads.sample_outputs import Origin, SampleCoverage, SampleOutputs, find_finished
from regact.reads.sample_sheet import SheetRow
from regact.tracks import Track, TrackSheet

TRACK_SHEET, QC_TABLE = "tracks.tsv", "qc.tsv"


@dataclass(frozen=True)
class CohortCoverage:
    """What `cover_samples` wrote.

    Attributes:
        tracks: The track sheet, which `build_dataset` takes.
        qc: The table of all samples' quality.
        samples: In the order of the sheet, groups in the order of their table.
    """

    tracks: Path
    qc: Path
    samples: tuple[SampleCoverage, ...]


@dataclass(frozen=True)
class _Part:
    """One sample to be written: a file, or a group of barcodes in it (by its number)."""

    outputs: SampleOutputs
    origin: Origin
    group: int | None = None


@dataclass(frozen=True)
class _Job:
    """What one task does: all parts of one file, which is read once."""

    row: SheetRow
    groups: BarcodeGroups | None
    parts: tuple[_Part, ...]


@dataclass(frozen=True)
class _Reading:
    """How every file is read; arguments as `cover_sample`."""

    reference: Path | None
    alias: ContigAlias | None
    group_by_name: bool


def cover_samples(
    rows: Sequence[SheetRow],
    genome: Path | str | Genome,
    out: Path | str,
    *,
    reference: Path | str | None = None,
    contig_alias: str | None = None,
    group_by_name: bool = False,
    workers: int = 1,
    overwrite: bool = False,
    tell: Callable[[str], None] = lambda _: None,
    on_sample: Callable[[SampleCoverage], object] = lambda _: None,
) -> CohortCoverage:
    """Write the coverage of many samples to a folder, with a track sheet and a table of their quality.

    Samples that were finished before, from the same files with the same settings, are kept: a run that was stopped goes
    on where it was. All files are looked at before any work is done.

    Args:
        rows: As `read_sample_sheet` gives them; one with groups gives a sample for each group, `SAMPLE_GROUP`, or
            `GROUP` where it is the only row and has no name.
        out: The folder: `SAMPLE.bw` and `SAMPLE.json` as of `cover_sample`, `tracks.tsv`, `qc.tsv`.
        workers: Processes; each holds one sample.
        overwrite: Make samples anew that were made from other files or with other settings.
        on_sample: Called with every sample, those kept among them, in the order in which they are finished.

    Raises: As `cover_sample`; ConfigError and OutputExistsError with every problem before any work.
    """
    genome = genome if isinstance(genome, Genome) else load_genome(genome)
    reading = _Reading(None if reference is None else Path(reference), parse_contig_alias(contig_alias), group_by_name)
    out = Path(out)
    if annotations := {column for row in rows for column, _ in row.annotations}:
        tell(f"columns that go to the track sheet as they are: {', '.join(sorted(annotations))}")
    jobs = [_plan(row, genome, out) for row in rows]
    _check_names(jobs)
    _check_files(rows, genome, reading.alias)
    finished: dict[str, SampleCoverage] = {}
    left = [_without_finished(job, finished, overwrite) for job in jobs]
    if finished:
        tell(f"{len(finished):,} samples are finished already")
    for sample in finished.values():
        on_sample(sample)
    to_do = [job for job in left if job.parts]
    cover = partial(_cover_job, GenomeLayout.from_lengths(genome.lengths), reading)
    for _, samples in run_tasks(
        cover, to_do, workers=workers, label="samples", describe=lambda job: f"sample {job.row.name or job.row.file}"
    ):
        for sample in samples:
            tell(f"{sample.outputs.sample}: {Fates(**sample.qc.fates).describe()}")
            finished[sample.outputs.sample] = sample
            on_sample(sample)
    return _write_tables(jobs, finished, out)


def _plan(row: SheetRow, genome: Genome, out: Path) -> _Job:
    """The samples that a row stands for."""
    origin = origin_of(row.file, genome, row.settings)
    stranded = origin.settings.stranded
    if row.groups is None:
        outputs = SampleOutputs.beside(out / f"{row.name}.bw", stranded=stranded)
        return _Job(row, None, (_Part(outputs, origin),))
    if not is_fragment_file(row.file):
        raise ConfigError(row.file, [f"no fragment file, but {row.groups} groups its barcodes; leave groups out"])
    groups = read_barcode_groups(row.groups)
    parts = []
    for number, (group, file_name) in enumerate(zip(groups.names, groups.file_names, strict=True)):
        name = f"{row.name}_{file_name}" if row.name else file_name
        outputs = SampleOutputs.beside(out / f"{name}.bw", stranded=stranded)
        parts.append(_Part(outputs, replace(origin, group=group, barcodes=_checksum(groups, number)), number))
    return _Job(row, groups, tuple(parts))


def _checksum(groups: BarcodeGroups, group: int) -> str:
    """Of a group's barcodes, whatever their order."""
    barcodes = sorted(barcode for barcode, number in groups.group_of.items() if number == group)
    return hashlib.sha256("\n".join(barcodes).encode()).hexdigest()


def _check_names(jobs: Sequence[_Job]) -> None:
    """Raise ConfigError where two samples would share a file: a row and another's group, a strand of x and x_plus.

    Names that differ in case alone are one file on many systems.
    """
    outputs = [part.outputs for job in jobs for part in job.parts]
    names = Counter(path.name.lower() for output in outputs for path in (*output.tracks.values(), output.card))
    problems = [f"{count} samples would be written as {name}" for name, count in names.items() if count > 1]
    if problems:
        raise ConfigError("samples", problems)


def _check_files(rows: Sequence[SheetRow], genome: Genome, alias: ContigAlias | None) -> None:
    """Raise ConfigError with every file that is no BAM, CRAM or SAM of this genome, by its header, and no fragments."""
    problems = []
    for row in rows:
        try:
            if not is_fragment_file(row.file):
                match_contigs(genome.lengths, read_bam_header(row.file).lengths, where=row.file, alias=alias)
        except RegactError as error:
            problems.append(str(error))
    if problems:
        raise ConfigError("samples", problems)


def _without_finished(job: _Job, finished: dict[str, SampleCoverage], overwrite: bool) -> _Job:
    """The job without the samples that are finished, which go to `finished`."""
    left = []
    for part in job.parts:
        try:
            sample = find_finished(part.outputs, part.origin)
        except OutputExistsError:
            if not overwrite:
                raise
            sample = None
        if sample is None:
            left.append(part)
        else:
            finished[part.outputs.sample] = sample
    return replace(job, parts=tuple(left))


def _cover_job(layout: GenomeLayout, reading: _Reading, job: _Job) -> list[SampleCoverage]:
    """Read a file once and write its samples."""
    if job.groups is None:
        part = job.parts[0]
        reads, programs = read_source(
            part.origin, layout, reading.reference, alias=reading.alias, group_by_name=reading.group_by_name
        )
        return [write_sample(reads, layout, part.outputs, part.origin, programs=programs)]
    fragments = read_fragments(job.row.file, layout, job.groups, alias=reading.alias)
    samples = []
    for part in job.parts:
        origin, group = part.origin, part.group or 0
        reads = fragment_places(fragments.of_group(group), origin.settings, where=origin.describe())
        samples.append(write_sample(reads, layout, part.outputs, origin))
    return samples


def _write_tables(jobs: Sequence[_Job], finished: Mapping[str, SampleCoverage], out: Path) -> CohortCoverage:
    tracks: list[Track] = []
    for job in jobs:
        for part in job.parts:
            tracks += _tracks_of(job.row, part, len(tracks))
    samples = tuple(finished[part.outputs.sample] for job in jobs for part in job.parts)
    result = CohortCoverage(out / TRACK_SHEET, out / QC_TABLE, samples)
    TrackSheet(tuple(tracks), result.tracks).write(result.tracks)
    with whole_file(result.qc) as temporary:
        rows = [sample.qc.row() for sample in samples]
        pd.DataFrame(rows).to_csv(temporary, sep="\t", index=False, lineterminator="\n")
    return result


def _tracks_of(row: SheetRow, part: _Part, first: int) -> list[Track]:
    """A sample's rows of the track sheet, the first of which has the position `first`; strands are a pair."""
    about = row.description or row.name
    about = f"{about}, {part.origin.group}" if about and part.origin.group else about or part.origin.group
    strands = part.outputs.tracks
    return [
        Track(
            identifier=path.stem,
            files=(path.absolute(),),
            strand_pair=first + (len(strands) - 1 - position),
            description=f"{part.origin.settings.assay}:{about}",
            annotations=row.annotations,
        )
        for position, path in enumerate(strands.values())
    ]
