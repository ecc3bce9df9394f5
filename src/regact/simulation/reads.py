"""`simulate_reads`: what a sequencer reports of tracks whose rate is known, as a folder.

samples.tsv                     one row a sample: its FASTQ files, its assay
SAMPLE_R1.fastq.gz              reads; SAMPLE_R2.fastq.gz too where they are paired
truth/targets.txt, truth/*.bw   every track's rate, scaled to the expected reads: without GC bias and duplicates
truth/SAMPLE_origins.tsv.gz     where each read comes from
reads.yaml                      every setting
"""

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from jaxtyping import Int64

from regact.engine import check_space, run_tasks, whole_folder
from regact.errors import ConfigError
from regact.genome import ContigAlias, Genome, load_genome
from regact.simulation.fragments import Fragments, TrackRate, blocks_of, draw_fragments
from regact.simulation.reads_config import LAYOUTS, OTHER_LAYOUT, ReadLayout, ReadsConfig
from regact.simulation.sequencing import READS_AT_ONCE, read_records
from regact.simulation.streams import FRAGMENTS, SEQUENCING, random_stream
from regact.tracks import (
    Track,
    TrackSheet,
    covered_intervals,
    open_signals,
    read_track_sheet,
    track_strands,
    write_bigwig_intervals,
)

# Measured with margin: compressed FASTQ (and origins) of a read of one base, and of a read as such.
_BYTES_PER_READ, _BYTES_PER_READ_BASE = 40, 0.5
_GZIP_LEVEL = 1


@dataclass(frozen=True)
class Sample:
    """One library: an unstranded track, or the two tracks of a strand pair, which come from the same reads."""

    name: str
    tracks: tuple[Track, ...]
    strands: tuple[str, ...]

    @property
    def assay(self) -> str:
        """The assay of its tracks."""
        return self.tracks[0].assay

    @property
    def layout(self) -> ReadLayout:
        """Which base of a fragment the tracks count."""
        return LAYOUTS.get(self.assay.upper(), OTHER_LAYOUT)


def simulate_reads(
    genome_path: Path | str,
    sheet_path: Path | str,
    out: Path | str,
    config: ReadsConfig | None = None,
    *,
    tracks: Iterable[str] = (),
    contig_alias: ContigAlias | None = None,
    workers: int = 1,
    overwrite: bool = False,
) -> Path:
    """Write reads drawn from the tracks of a sheet, and their truth, to the folder `out`; returns it.

    Each track is taken as a rate per base: of the 5' ends of read 1 on its strand (unstranded tracks on both alike), or
    of fragment centres for CHIP. The same settings give the same files, byte for byte, with any number of workers, and
    a sample does not depend on the others.

    Args:
        tracks: Patterns as `TrackSheet.rows` takes them; none = every track.
        contig_alias: How the tracks' contig names become the genome's.

    Raises: ConfigError for the sheet, or strands that cannot be told; ContigError where a track is of another genome;
        DataError where a rate is negative or 0 throughout; OutputExistsError; DiskSpaceError.
    """
    config = config or ReadsConfig()
    genome = load_genome(genome_path)
    sheet = read_track_sheet(sheet_path)
    sheet = sheet.select(tracks) if (tracks := list(tracks)) else sheet
    samples = list_samples(sheet)
    with whole_folder(out, overwrite=overwrite, mark="samples.tsv") as folder:
        bytes_per_read = _BYTES_PER_READ + _BYTES_PER_READ_BASE * config.read_bp
        mates = 2 if config.paired else 1
        check_space(folder, int(len(samples) * config.reads * mates * bytes_per_read), "the simulated reads")
        (folder / "truth").mkdir()
        write = partial(_write_sample, genome, contig_alias, config, folder)
        for _ in run_tasks(write, samples, workers=workers, label="samples", describe=lambda s: f"sample {s.name}"):
            pass
        _write_tables(samples, sheet, config, folder)
    return Path(out)


def list_samples(sheet: TrackSheet) -> list[Sample]:
    """Return the samples of a track sheet, each strand pair as one that has the names' common beginning.

    Raises: ConfigError where a pair's strands cannot be told, or two samples would have one name.
    """
    strands = track_strands(sheet)
    samples = []
    for row, track in enumerate(sheet.tracks):
        if track.strand_pair == row:
            samples.append(Sample(_sample_name([track]), (track,), (".",)))
        elif track.strand_pair > row:
            pair = (track, sheet.tracks[track.strand_pair])
            samples.append(Sample(_sample_name(pair), pair, (strands[row], strands[track.strand_pair])))
    names = Counter(sample.name for sample in samples)
    problems = [f"{count} samples would be called {name}" for name, count in names.items() if count > 1]
    if problems:
        raise ConfigError(sheet.path, problems)
    return samples


def _sample_name(tracks: Sequence[Track]) -> str:
    """Return what the identifiers begin with alike, fit for names of files and reads."""
    letters = zip(*(track.identifier for track in tracks), strict=False)
    common = "".join(column[0] for column in takewhile(lambda column: len(set(column)) == 1, letters))
    return re.sub(r"[^\w.+-]", "_", common if len(tracks) == 1 else common.rstrip("_-.+ ") or tracks[0].identifier)


def _write_sample(
    genome: Genome, contig_alias: ContigAlias | None, config: ReadsConfig, folder: Path, sample: Sample
) -> None:
    """Write the FASTQ files, origins and rates of one sample."""
    # By name, not by place in the sheet: a sample is the same whichever others are asked for.
    key = zlib.crc32(sample.name.encode())
    rates = _open_rates(sample, genome, contig_alias)
    rng = random_stream(config.seed, FRAGMENTS, key)
    molecules = draw_fragments(genome, rates, sample.layout, config, config.library_molecules or config.reads, rng)
    drawn = np.arange(config.reads)
    if config.library_molecules:
        drawn = rng.integers(0, config.library_molecules, config.reads)
    fragments = molecules.take(drawn)
    for mate in (1, 2) if config.paired else (1,):
        stream = random_stream(config.seed, SEQUENCING, key, mate)
        records = read_records(genome, fragments, sample.name, config, mate, stream)
        _write_gzip(folder / f"{sample.name}_R{mate}.fastq.gz", records)
    _write_gzip(folder / "truth" / f"{sample.name}_origins.tsv.gz", _origins(genome, fragments, drawn))
    _write_rates(genome, rates, config.reads, folder / "truth")


def _open_rates(sample: Sample, genome: Genome, alias: ContigAlias | None) -> list[TrackRate]:
    return [
        TrackRate(track, *open_signals(track, genome.lengths, alias), strand)
        for track, strand in zip(sample.tracks, sample.strands, strict=True)
    ]


def _write_gzip(path: Path, parts: Iterable[bytes]) -> None:
    """Write parts as one gzip file whose bytes do not depend on name or time."""
    packer = zlib.compressobj(_GZIP_LEVEL, wbits=31)
    with path.open("wb") as file:
        for part in parts:
            file.write(packer.compress(part))
        file.write(packer.flush())


def _origins(genome: Genome, fragments: Fragments, molecules: Int64[np.ndarray, "read"]) -> Iterator[bytes]:
    """Yield the table of reads: name's number, contig, start, end, strand of the fragment, number of the molecule."""
    yield b"read\tchrom\tstart\tend\tstrand\tmolecule\n"
    names = np.array(list(genome.lengths))
    for first in range(0, len(fragments), READS_AT_ONCE):
        rows = np.arange(first, min(first + READS_AT_ONCE, len(fragments)))
        some = fragments.take(rows)
        table = pd.DataFrame(
            {
                "read": rows,
                "chrom": names[some.contig],
                "start": some.start,
                "end": some.start + some.length,
                "strand": np.where(some.forward, "+", "-"),
                "molecule": molecules[rows],
            }
        )
        yield table.to_csv(sep="\t", index=False, header=False, lineterminator="\n").encode()


def _write_rates(genome: Genome, rates: Sequence[TrackRate], reads: int, folder: Path) -> None:
    """Write each track's rate so that the sample's tracks together add up to the number of reads."""
    blocks = blocks_of(genome.lengths)
    total = sum(float(rate.values(block).sum()) for rate in rates for block in blocks)
    for rate in rates:
        chunks = (
            (block.chrom, *covered_intervals(rate.values(block) * (reads / total), start=block.start))
            for block in blocks
        )
        write_bigwig_intervals(folder / f"{rate.track.identifier}.bw", genome.lengths, chunks)


def _write_tables(samples: Sequence[Sample], sheet: TrackSheet, config: ReadsConfig, folder: Path) -> None:
    """Write the table of samples, the sheet of the true rates, and the settings."""
    rows = [
        {
            "sample": sample.name,
            "assay": sample.assay,
            "fastq_1": f"{sample.name}_R1.fastq.gz",
            "fastq_2": f"{sample.name}_R2.fastq.gz" if config.paired else "",
            "description": sample.tracks[0].description,
        }
        for sample in samples
    ]
    pd.DataFrame(rows).to_csv(folder / "samples.tsv", sep="\t", index=False, lineterminator="\n")
    truth = folder / "truth"
    files = (replace(track, files=(truth.absolute() / f"{track.identifier}.bw",), scale=1.0) for track in sheet.tracks)
    TrackSheet(tuple(files), truth).write(truth / "targets.txt")
    settings = config.model_dump(mode="json")
    (folder / "reads.yaml").write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
