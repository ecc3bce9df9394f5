"""One file of a sheet and the samples that it becomes: one, or one for each group of its barcodes."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from regact.errors import ConfigError, ContigError, DataError, FormatError, RegactError
from regact.genome import Genome
from regact.reads.layout import GenomeLayout
from regact.reads.samples.outputs import Origin, Reading, SampleCoverage, SampleOutputs
from regact.reads.samples.sample import SourceReads, origin_of, read_source, write_sample
from regact.reads.samples.sheet import SheetRow
from regact.reads.sources.barcode_groups import BarcodeGroups, read_barcode_groups
from regact.reads.sources.fragment_file import CellFragments, is_fragment_file, read_fragments
from regact.reads.sources.fragment_places import fragment_places

# What goes wrong with one sample and says nothing of the others.
_OF_ONE_SAMPLE = (FormatError, ContigError, DataError)


@dataclass(frozen=True)
class SamplePart:
    """One sample to be written: a file, or a group of barcodes in it (by its number)."""

    outputs: SampleOutputs
    origin: Origin
    group: int | None = None


@dataclass(frozen=True)
class SampleJob:
    """What one task does: all parts of one file, which is read once."""

    row: SheetRow
    groups: BarcodeGroups | None
    parts: tuple[SamplePart, ...]


@dataclass(frozen=True)
class NotMade:
    """A sample without coverage: an empty group of barcodes, or one whose file or reads will not do."""

    outputs: SampleOutputs
    error: RegactError
    is_empty_group: bool = False


def plan_job(row: SheetRow, genome: Genome, reading: Reading, out: Path) -> SampleJob:
    """The samples that a row stands for."""
    origin = origin_of(row.file, genome, row.settings, reading)
    stranded = origin.settings.stranded
    if row.groups is None:
        outputs = SampleOutputs.beside(out / f"{row.name}.bw", stranded=stranded)
        return SampleJob(row, None, (SamplePart(outputs, origin),))
    if not is_fragment_file(row.file):
        raise ConfigError(row.file, [f"no fragment file, but {row.groups} groups its barcodes; leave groups out"])
    groups = read_barcode_groups(row.groups)
    parts = []
    for number, (group, file_name) in enumerate(zip(groups.names, groups.file_names, strict=True)):
        name = f"{row.name}_{file_name}" if row.name else file_name
        outputs = SampleOutputs.beside(out / f"{name}.bw", stranded=stranded)
        parts.append(SamplePart(outputs, replace(origin, group=group, barcodes=_checksum(groups, number)), number))
    return SampleJob(row, groups, tuple(parts))


def _checksum(groups: BarcodeGroups, group: int) -> str:
    """Of a group's barcodes, whatever their order."""
    barcodes = sorted(barcode for barcode, number in groups.group_of.items() if number == group)
    return hashlib.sha256("\n".join(barcodes).encode()).hexdigest()


def cover_job(layout: GenomeLayout, job: SampleJob) -> list[SampleCoverage | NotMade]:
    """Read a file once and write its samples."""
    try:
        if job.groups is None:
            part = job.parts[0]
            return [write_sample(read_source(part.origin, layout), layout, part.outputs, part.origin)]
        fragments = read_fragments(job.row.file, layout, job.groups, alias=job.parts[0].origin.reading.alias)
    except _OF_ONE_SAMPLE as error:
        return [NotMade(part.outputs, error) for part in job.parts]
    return [_cover_group(layout, fragments, part) for part in job.parts]


def _cover_group(layout: GenomeLayout, fragments: CellFragments, part: SamplePart) -> SampleCoverage | NotMade:
    mine, origin = fragments.of_group(part.group or 0), part.origin
    try:
        places = fragment_places(mine, origin.settings, where=origin.describe())
    except DataError as error:
        return NotMade(part.outputs, error, is_empty_group=True)
    try:
        return write_sample(SourceReads(places, cells=mine.cell_counts()), layout, part.outputs, origin)
    except _OF_ONE_SAMPLE as error:
        return NotMade(part.outputs, error)
