"""`regact align`: FASTQ to a BAM that `regact coverage` takes."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from regact.cli.options import Overwrite, RequiredGenome, RequiredOut
from regact.cli.output import print_line, print_remark
from regact.reads import PLACES, align_reads


def command(
    reads1: Annotated[Path, typer.Argument(metavar="R1.fastq.gz", help="Reads, or read 1 of pairs; plain or gzip.")],
    reads2: Annotated[Path | None, typer.Argument(metavar="R2.fastq.gz", help="Read 2 of pairs.")] = None,
    *,
    genome: RequiredGenome,
    out: RequiredOut,
    places: Annotated[
        int, typer.Option("--places", min=1, help="Places in the genome reported for a read, at most (Bowtie2's -k).")
    ] = PLACES,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, help="Threads of Bowtie2; without it, as many as CPU cores.")
    ] = None,
    index_dir: Annotated[
        Path | None,
        typer.Option("--index-dir", help="Folder that keeps indices; the user's cache folder by default."),
    ] = None,
    bowtie2: Annotated[
        str, typer.Option("--bowtie2", help="Further options of Bowtie2, as one text.", metavar="'--opt ...'")
    ] = "",
    overwrite: Overwrite = False,
) -> None:
    """Align reads to a genome with Bowtie2, every place of a read reported, grouped by read name.

    Needs the programs bowtie2 and samtools. The genome's index is built once and kept. Beside NAME.bam lie Bowtie2's
    own log, NAME.log, and the command with versions, NAME.align.json.

    [bold]Examples[/bold]

      regact align reads_R1.fastq.gz reads_R2.fastq.gz --genome genome.fa --out sample.bam

      regact align reads.fastq.gz --genome genome.fa --out sample.bam --threads 8 --bowtie2 "--very-sensitive"
    """
    aligned = align_reads(
        reads1,
        reads2,
        genome,
        out,
        places=places,
        threads=threads,
        index_dir=index_dir,
        bowtie2_options=shlex.split(bowtie2),
        overwrite=overwrite,
        tell=print_remark,
    )
    print_remark(f"{aligned.reads:,} reads{' (pairs)' if reads2 else ''}, {aligned.rate:.2%} aligned")
    print_line(str(aligned.bam))
