"""One sample from its reads to what training starts from: bigWig, and a JSON card that says how it was made."""

import importlib.metadata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from regact.engine import refuse_existing, write_json
from regact.genome import Genome, load_genome, parse_contig_alias
from regact.reads.alignments import Alignments, count_places, read_bam
from regact.reads.bam_records import OWN_LENGTH
from regact.reads.clip import clip_factors
from regact.reads.coverage import write_coverage
from regact.reads.fragment_length import FragmentLength, estimate_fragment_bp
from regact.reads.gc_bias import fit_gc
from regact.reads.gc_content import fragment_gc
from regact.reads.layout import GenomeLayout
from regact.reads.multimap import Placement
from regact.reads.presets import CoverageSettings, coverage_settings
from regact.reads.qc import ReadsQc, describe_reads
from regact.reads.read_places import ReadPlaces
from regact.reads.sharing import share_reads

_STRANDS = {1: "_plus", -1: "_minus"}


@dataclass(frozen=True)
class SampleCoverage:
    """What `cover_sample` wrote.

    Attributes:
        tracks: The bigWig, or those of the + and the - strand.
        card: JSON with settings, inputs, versions and quality; written last, so it stands for a finished sample.
        qc: The sample's quality.
    """

    tracks: tuple[Path, ...]
    card: Path
    qc: ReadsQc


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
    """Write the coverage of one sample's alignments as bigWig.

    Reads with several places are shared out among them by EM, towers are cut if asked for, GC bias is taken out with
    the genome's total kept, and the counted bases are added up.

    Args:
        source: BAM, CRAM or SAM, single- or paired-end; see `read_bam` for what of it is understood.
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
    alias = parse_contig_alias(contig_alias)
    outputs = SampleOutputs.beside(Path(out), stranded=settings.stranded)
    outputs.refuse_existing(overwrite)
    layout = GenomeLayout.from_lengths(genome.lengths)
    reads, header = read_bam(
        source, layout, settings, reference=reference or genome.path, alias=alias, group_by_name=group_by_name
    )
    tell(f"{source}: {reads.fates.describe()}")
    return write_sample(reads, layout, genome, settings, outputs, source=source, programs=header.programs, tell=tell)


@dataclass(frozen=True)
class SampleOutputs:
    """Names of a sample's outputs.

    Attributes:
        sample: The sample's name.
        tracks: bigWig by strand; under 0 where strands are not told apart.
        card: The JSON file.
    """

    sample: str
    tracks: Mapping[int, Path]
    card: Path

    @classmethod
    def beside(cls, out: Path, *, stranded: bool) -> "SampleOutputs":
        """The names that go with the bigWig `out`."""
        name = out.stem if out.suffix.lower() in (".bw", ".bigwig") else out.name
        card = out.with_name(f"{name}.json")
        if not stranded:
            return cls(name, {0: out}, card)
        return cls(name, {s: out.with_name(f"{name}{end}.bw") for s, end in _STRANDS.items()}, card)

    def refuse_existing(self, overwrite: bool) -> None:
        """Raise OutputExistsError where any is there and must not be replaced."""
        for path in (*self.tracks.values(), self.card):
            refuse_existing(path, overwrite)


def write_sample(
    reads: ReadPlaces,
    layout: GenomeLayout,
    genome: Genome,
    settings: CoverageSettings,
    outputs: SampleOutputs,
    *,
    source: Path | str,
    programs: tuple[str, ...] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> SampleCoverage:
    """From places of reads to bigWig and card; arguments as `cover_sample`."""
    fragment_bp, fragment = _fragment_length(reads, layout, settings, source)
    alignments = count_places(reads, layout, settings, fragment_bp=fragment_bp)
    placement = share_reads(alignments, layout, settings)
    weight = _without_towers(alignments, placement, layout, settings)
    gc_model = None
    if settings.gc:
        gc = fragment_gc(genome, layout, alignments)
        gc_model = fit_gc(genome, layout, alignments, gc, weight)
        weight = weight * gc_model.factors(gc, weight)
    for strand, path in outputs.tracks.items():
        write_coverage(
            path,
            alignments,
            weight,
            layout,
            whole_fragment=settings.count == "fragment",
            chosen=alignments.strand == strand if strand else None,
        )
    qc = describe_reads(
        reads,
        alignments,
        layout,
        genome,
        settings,
        placement,
        weight,
        sample=outputs.sample,
        source=str(source),
        cross_correlation=fragment,
        gc_model=gc_model,
    )
    tracks = tuple(outputs.tracks.values())
    write_json(outputs.card, _card(tracks, genome, settings, source, programs, fragment_bp, qc))
    return SampleCoverage(tracks, outputs.card, qc)


def _fragment_length(
    reads: ReadPlaces, layout: GenomeLayout, settings: CoverageSettings, source: Path | str
) -> tuple[int | None, FragmentLength | None]:
    """Length of fragments that show one end only, where anything depends on it; and what the strands say of it."""
    needed = settings.count != "five_prime" or settings.gc
    if not needed or settings.fragment_bp is not None:
        return settings.fragment_bp, None
    pairs = reads.rows["length"][reads.rows["kind"] & OWN_LENGTH != 0]
    if len(pairs):
        return int(np.median(pairs)), None
    fragment = estimate_fragment_bp(reads, layout, search_bp=settings.fragment_search_bp, where=source)
    return fragment.fragment_bp, fragment


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


def _card(
    tracks: tuple[Path, ...],
    genome: Genome,
    settings: CoverageSettings,
    source: Path | str,
    programs: tuple[str, ...],
    fragment_bp: int | None,
    qc: ReadsQc,
) -> dict[str, Any]:
    """All that a reader of the bigWig may ask about it."""
    return {
        "regact": importlib.metadata.version("regact"),
        "source": {"path": str(source), "bytes": Path(source).stat().st_size, "programs": programs},
        "genome": {"name": genome.name, "path": str(genome.path), "checksum": genome.checksum},
        "settings": settings.model_dump(mode="json"),
        "fragment_bp": fragment_bp,
        "tracks": [path.name for path in tracks],
        "qc": qc.model_dump(mode="json"),
    }
