"""Many samples: each by itself, what is finished kept, and one track sheet and one table of quality for all."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pandas as pd

from regact.engine import available_cores, free_memory_bytes, run_tasks, whole_file
from regact.errors import ConfigError, OutputExistsError, RegactError
from regact.genome import Genome, load_genome, match_contigs
from regact.reads.layout import GenomeLayout
from regact.reads.quality.qc import ReadsQc
from regact.reads.quality.remarks import find_remarks
from regact.reads.samples.job import NotMade, SampleJob, SamplePart, cover_job, plan_job
from regact.reads.samples.memory import estimate_memory, workers_that_fit
from regact.reads.samples.outputs import VERSION, Reading, SampleCoverage, find_finished
from regact.reads.samples.sheet import SheetRow
from regact.reads.sources.bam_file import read_bam_header
from regact.reads.sources.cram_reference import cram_problems
from regact.reads.sources.fates import Fates
from regact.reads.sources.fragment_file import is_fragment_file
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


def cover_samples(
    rows: Sequence[SheetRow],
    genome: Path | str | Genome,
    out: Path | str,
    *,
    reference: Path | str | None = None,
    contig_alias: str | None = None,
    group_by_name: bool = False,
    workers: int | None = 1,
    overwrite: bool = False,
    tell: Callable[[str], None] = lambda _: None,
    on_sample: Callable[[SampleCoverage], object] = lambda _: None,
) -> CohortCoverage:
    """Write the coverage of many samples to a folder, with a track sheet and a table of their quality.

    Samples that were finished before, from the same files with the same settings, are kept: a run that was stopped goes
    on where it was. All files are looked at before any work is done. A sample that cannot be made does not stop the
    others; it is told at the end, and the tables wait until it is mended. A group of barcodes without any fragment that
    counts is left out of them.

    Args:
        rows: As `read_sample_sheet` gives them; one with groups gives a sample for each group, `SAMPLE_GROUP`, or
            `GROUP` where it is the only row and has no name.
        out: The folder: `SAMPLE.bw` and `SAMPLE.json` as of `cover_sample`, `tracks.tsv`, `qc.tsv`.
        workers: Processes; each holds one sample. With None as many as there are cores, and fewer where so many samples
            would not fit into the memory that is free.
        overwrite: Make samples anew that were made from other files or with other settings.
        on_sample: Called with every sample, those kept among them, in the order in which they are finished.

    Raises: As `cover_sample`; ConfigError and OutputExistsError with every problem before any work; ConfigError with
        the problems of all samples that could not be made, after it.
    """
    genome = genome if isinstance(genome, Genome) else load_genome(genome)
    reading = Reading(None if reference is None else Path(reference), contig_alias, group_by_name)
    out = Path(out)
    if annotations := {column for row in rows for column, _ in row.annotations}:
        tell(f"columns that go to the track sheet as they are: {', '.join(sorted(annotations))}")
    jobs = [plan_job(row, genome, reading, out) for row in rows]
    _check_names(jobs)
    _check_files(rows, genome, reading)
    finished: dict[str, SampleCoverage] = {}
    left = [_without_finished(job, finished, overwrite) for job in jobs]
    _tell_finished(tuple(finished.values()), tell)
    for sample in finished.values():
        on_sample(sample)
    not_made: list[NotMade] = []
    to_do = [job for job in left if job.parts]
    if workers is None:
        workers = _choose_workers(to_do, genome, tell)
    for made in _make(to_do, GenomeLayout.from_lengths(genome.lengths), workers, tell):
        if isinstance(made, NotMade):
            not_made.append(made)
        else:
            finished[made.outputs.sample] = made
            on_sample(made)
    _raise_failures(not_made, len(finished))
    return _write_tables(jobs, finished, out)


def _choose_workers(jobs: Sequence[SampleJob], genome: Genome, tell: Callable[[str], None]) -> int:
    needed = [estimate_memory(job.row.file, genome.total_bp) for job in jobs]
    cores, free = min(available_cores(), max(len(jobs), 1)), free_memory_bytes()
    workers = workers_that_fit(needed, cores=cores, free_bytes=free)
    if workers < cores:
        tell(
            f"{workers} samples at once, for they take up to {max(needed) / 1e9:.1f} GB each of {free / 1e9:.1f} GB "
            "that are free; --workers says otherwise"
        )
    return workers


def _make(
    jobs: Sequence[SampleJob], layout: GenomeLayout, workers: int, tell: Callable[[str], None]
) -> Iterator[SampleCoverage | NotMade]:
    """The samples of the jobs in the order in which they are made, each told of."""
    for index, samples in run_tasks(
        partial(cover_job, layout),
        jobs,
        workers=workers,
        label="samples",
        describe=lambda job: f"sample {job.row.name or job.row.file}",
    ):
        ungrouped = 0
        for sample in samples:
            if isinstance(sample, NotMade):
                tell(f"{sample.outputs.sample}: {'left out' if sample.is_empty_group else 'FAILED'}, {sample.error}")
            else:
                _tell_quality(sample.qc, tell)
                ungrouped = sample.qc.cells.ungrouped_fragments if sample.qc.cells else 0
            yield sample
        if ungrouped:
            tell(f"{jobs[index].row.file}: {ungrouped:,} fragments are of barcodes in no group")


def _tell_finished(finished: Sequence[SampleCoverage], tell: Callable[[str], None]) -> None:
    if finished:
        tell(f"{len(finished):,} samples are finished already")
    if others := sorted({sample.version for sample in finished} - {VERSION}):
        versions = ", ".join(others)
        tell(f"some of them were made by regact {versions}, not {VERSION}; to make them anew, remove their JSON files")


def _tell_quality(qc: ReadsQc, tell: Callable[[str], None]) -> None:
    for words in (Fates(**qc.fates).describe(), *find_remarks(qc)):
        tell(f"{qc.sample}: {words}")


def _raise_failures(not_made: Sequence[NotMade], n_finished: int) -> None:
    """Raise ConfigError with the samples that failed, or where all that there is are empty groups."""
    failed = [sample for sample in not_made if not sample.is_empty_group] or (not_made if not n_finished else [])
    if failed:
        problems = [f"{sample.outputs.sample}: {sample.error}" for sample in failed]
        raise ConfigError(f"samples ({n_finished:,} are finished, and kept)", problems)


def _check_names(jobs: Sequence[SampleJob]) -> None:
    """Raise ConfigError where two samples would share a file: a row and another's group, a strand of x and x_plus.

    Names that differ in case alone are one file on many systems.
    """
    outputs = [part.outputs for job in jobs for part in job.parts]
    names = Counter(path.name.lower() for output in outputs for path in (*output.tracks.values(), output.card))
    problems = [f"{count} samples would be written as {name}" for name, count in names.items() if count > 1]
    if problems:
        raise ConfigError("samples", problems)


def _check_files(rows: Sequence[SheetRow], genome: Genome, reading: Reading) -> None:
    """Raise ConfigError with every file that is no BAM, CRAM or SAM of this genome, by its header, and no fragments.

    And with every CRAM that cannot be decoded.
    """
    problems = []
    for row in rows:
        try:
            if not is_fragment_file(row.file):
                match_contigs(genome.lengths, read_bam_header(row.file).lengths, where=row.file, alias=reading.alias)
        except RegactError as error:
            problems.append(str(error))
    reference = reading.reference or genome.path
    problems += [str(error) for error in cram_problems([row.file for row in rows], reference)]
    if problems:
        raise ConfigError("samples", problems)


def _without_finished(job: SampleJob, finished: dict[str, SampleCoverage], overwrite: bool) -> SampleJob:
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


def _write_tables(jobs: Sequence[SampleJob], finished: Mapping[str, SampleCoverage], out: Path) -> CohortCoverage:
    tracks: list[Track] = []
    parts = [(job.row, part) for job in jobs for part in job.parts if part.outputs.sample in finished]
    for row, part in parts:
        tracks += _tracks_of(row, part, len(tracks))
    samples = tuple(finished[part.outputs.sample] for _, part in parts)
    result = CohortCoverage(out / TRACK_SHEET, out / QC_TABLE, samples)
    TrackSheet(tuple(tracks), result.tracks).write(result.tracks)
    with whole_file(result.qc) as temporary:
        rows = [sample.qc.row() for sample in samples]
        pd.DataFrame(rows).to_csv(temporary, sep="\t", index=False, lineterminator="\n")
    return result


def _tracks_of(row: SheetRow, part: SamplePart, first: int) -> list[Track]:
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
