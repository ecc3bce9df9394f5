"""One sample from its reads to what training starts from: bigWig, and a JSON card that says how it was made."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from regact.engine import progress, write_json
from regact.genome import Genome, load_genome
from regact.reads.alignments import Alignments
from regact.reads.coverage import write_coverage
from regact.reads.gc_bias.content import fragment_gc
from regact.reads.gc_bias.fit import fit_gc
from regact.reads.layout import GenomeLayout
from regact.reads.multimap.clip import clip_factors
from regact.reads.multimap.em import Placement
from regact.reads.multimap.sharing import share_reads
from regact.reads.presets import CoverageSettings, coverage_settings
from regact.reads.quality.description import describe_reads
from regact.reads.quality.remarks import find_remarks
from regact.reads.samples.fixed_numbers import FIXED_NUMBERS
from regact.reads.samples.outputs import VERSION, Origin, Reading, SampleCoverage, SampleOutputs
from regact.reads.sources.bam_file import OnRead
from regact.reads.sources.bam_reads import read_bam
from regact.reads.sources.counted_places import count_places
from regact.reads.sources.fragment_file import CellCounts, is_fragment_file, read_fragments
from regact.reads.sources.fragment_length import choose_fragment_bp
from regact.reads.sources.fragment_places import fragment_places, settings_of_fragments
from regact.reads.sources.read_places import ReadPlaces


def cover_sample(
    source: Path | str,
    genome: Path | str | Genome,
    out: Path | str,
    settings: CoverageSettings | str,
    *,
    reference: Path | str | None = None,
    contig_alias: str | None = None,
    group_by_name: bool = False,
    overwrite: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> SampleCoverage:
    """Write the coverage of one sample's reads as bigWig.

    Reads with several places are shared out among them by EM, towers are cut if asked for, GC bias is taken out with
    the genome's total kept, and the counted bases are added up.

    Args:
        source: BAM, CRAM or SAM, single- or paired-end (see `read_bam` for what of it is understood), or a fragment
            file, of which all barcodes are taken together.
        genome: FASTA that the reads were aligned to.
        out: The bigWig; stranded, `NAME_plus.bw` and `NAME_minus.bw` beside it. The card is `NAME.json`.
        settings: An assay's name (`cage`, `dnase`, `atac`, `chip`) or settings of your own.
        reference: FASTA that a CRAM was made with, if not `genome`.
        contig_alias: How the file's contig names become the genome's: `chr`, or a TSV.
        group_by_name: Bring records of a read together in memory.
        overwrite: Replace outputs that are there.
        tell: Takes a remark on the work, in words.

    Raises: OutputExistsError, FormatError, ContigError, ConfigError, DataError, DiskSpaceError.
    """
    settings = coverage_settings(settings) if isinstance(settings, str) else settings
    genome = genome if isinstance(genome, Genome) else load_genome(genome)
    reading = Reading(None if reference is None else Path(reference), contig_alias, group_by_name)
    origin = origin_of(source, genome, settings, reading)
    outputs = SampleOutputs.beside(Path(out), stranded=origin.settings.stranded)
    outputs.refuse_existing(overwrite)
    layout = GenomeLayout.from_lengths(genome.lengths)
    size = origin.source.stat().st_size if origin.source.exists() else 0  # what is missing is told by who reads it
    with progress(f"Reading {origin.source.name}", size, unit="bytes") as bar:
        reads = read_source(origin, layout, on_read=bar.advance)
    tell(f"{source}: {reads.places.fates.describe()}")
    sample = write_sample(reads, layout, outputs, origin)
    for remark in find_remarks(sample.qc):
        tell(remark)
    return sample


@dataclass(frozen=True)
class SourceReads:
    """The reads of a sample, and what their file says of them.

    Attributes:
        places: The reads that count.
        programs: Name and version of the programs that made the file.
        place_limit: Places of a read that the aligner gave at most; None where the file does not say.
        cells: Of a fragment file.
    """

    places: ReadPlaces
    programs: tuple[str, ...] = ()
    place_limit: int | None = None
    cells: CellCounts | None = None


def origin_of(source: Path | str, genome: Genome, settings: CoverageSettings, reading: Reading) -> Origin:
    """The origin of a sample that is one file, with the settings as they act on it.

    Raises: ConfigError where the settings do not go with a fragment file.
    """
    if is_fragment_file(source):
        settings = settings_of_fragments(settings, where=source)
    return Origin(Path(source), genome, settings, reading)


def read_source(origin: Origin, layout: GenomeLayout, *, on_read: OnRead = lambda _: None) -> SourceReads:
    """The reads of a sample that is one file; `on_read` is told how many bytes of it were read since last."""
    source, settings, reading = origin.source, origin.settings, origin.reading
    if is_fragment_file(source):
        fragments = read_fragments(source, layout, alias=reading.alias, on_read=on_read)
        return SourceReads(fragment_places(fragments, settings, where=source), cells=fragments.cell_counts())
    places, header = read_bam(
        source,
        layout,
        settings,
        reference=reading.reference or origin.genome.path,
        alias=reading.alias,
        group_by_name=reading.group_by_name,
        on_read=on_read,
    )
    return SourceReads(places, header.programs, header.place_limit)


def write_sample(source: SourceReads, layout: GenomeLayout, outputs: SampleOutputs, origin: Origin) -> SampleCoverage:
    """From places of reads to bigWig and, last, the card."""
    reads, genome, settings = source.places, origin.genome, origin.settings
    fragment = choose_fragment_bp(reads, layout, settings, where=origin.source)
    alignments = count_places(reads, layout, settings, fragment_bp=fragment.bp)
    placement = share_reads(alignments, layout, settings)
    weight = corrected = _without_towers(alignments, placement, layout, settings)
    gc_model = None
    if settings.gc:
        gc = fragment_gc(genome, layout, alignments)
        gc_model = fit_gc(genome, layout, alignments, gc, weight)
        corrected = weight * gc_model.factors(gc, weight)
    qc = describe_reads(
        reads,
        alignments,
        layout,
        genome,
        settings,
        placement,
        weight,
        corrected,
        sample=outputs.sample,
        source=origin.describe(),
        fragment=fragment,
        gc_model=gc_model,
        place_limit=source.place_limit,
        cells=source.cells,
    )
    # A card stands for the tracks beside it: an older one must not outlive the first of those that it was of.
    outputs.card.unlink(missing_ok=True)
    for strand, path in outputs.tracks.items():
        write_coverage(
            path,
            alignments,
            corrected,
            layout,
            whole_fragment=settings.count == "fragment",
            chosen=alignments.strand == strand if strand else None,
        )
    names = [path.name for path in outputs.tracks.values()]
    made = {"fragment_bp": fragment.bp, "tracks": names, "qc": qc.model_dump(mode="json")}
    write_json(outputs.card, {**origin.card(source.programs), "fixed_numbers": FIXED_NUMBERS, **made})
    return SampleCoverage(outputs, qc, VERSION)


def _without_towers(
    alignments: Alignments, placement: Placement, layout: GenomeLayout, settings: CoverageSettings
) -> Float32[np.ndarray, "alignment"]:
    if settings.clip is None:
        return placement.weight
    return placement.weight * clip_factors(
        alignments,
        placement.weight,
        layout,
        sd_bp=settings.em_sd_bp,
        ceiling=settings.clip,
        stranded=settings.stranded,
    )
