"""`regact simulate-reads`: FASTQ files whose answer is known."""

from pathlib import Path
from typing import Annotated

import typer

from regact.cli.options import ContigAlias, Overwrite, RequiredGenome, RequiredOut, RequiredTracks, Seed, Set, Workers
from regact.cli.output import print_line
from regact.engine import available_cores
from regact.genome import parse_contig_alias
from regact.settings import read_settings
from regact.simulation import ReadsConfig, simulate_reads


def command(
    genome: RequiredGenome,
    tracks: RequiredTracks,
    out: RequiredOut,
    select: Annotated[
        list[str],
        typer.Option("--select", help="Identifier, assay or pattern of the tracks to read from.", metavar="TRACKS"),
    ] = [],  # noqa: B006, typer copies it
    config: Annotated[
        Path | None, typer.Option("--config", help="YAML of the settings that differ from their defaults.")
    ] = None,
    settings: Set = [],  # noqa: B006, typer copies it
    contig_alias: ContigAlias = None,
    seed: Seed = None,
    workers: Workers = None,
    overwrite: Overwrite = False,
) -> None:
    """Write reads (FASTQ) drawn from tracks, and their origins.

    Every track is taken as a rate per base; the two strands of a pair make one sample. Fragments follow the rate, a GC
    bias of known strength, and duplicates; reads have errors. The folder holds FASTQ files, a table of samples, the
    rates scaled to the number of reads, and the origin of every read.

    [bold]Examples[/bold]

      regact simulate-reads --genome simulated/genome.fa --tracks simulated/truth/targets.txt --out reads

      regact simulate-reads --genome genome.fa.gz --tracks targets.txt --select ATAC --set paired=true --out reads
    """
    overrides = [*settings, *([] if seed is None else [f"seed={seed}"])]
    folder = simulate_reads(
        genome,
        tracks,
        out,
        read_settings(config, ReadsConfig, overrides=overrides),
        tracks=select,
        contig_alias=parse_contig_alias(contig_alias),
        workers=available_cores() if workers is None else workers,
        overwrite=overwrite,
    )
    print_line(str(folder))
