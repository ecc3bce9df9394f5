"""`regact coverage`: alignments to bigWig, a card and a page of quality."""

import json
from pathlib import Path
from typing import Annotated

import typer

from regact.cli.options import ContigAlias, Overwrite, RequiredGenome, RequiredOut, Set
from regact.cli.output import print_line, print_remark
from regact.errors import ConfigError
from regact.reads import PRESETS, cover_sample, coverage_settings
from regact.report.reads_page import write_reads_page
from regact.settings import override


def command(
    alignments: Annotated[Path, typer.Argument(metavar="SAMPLE.bam", help="BAM, CRAM or SAM.")],
    *,
    genome: RequiredGenome,
    out: RequiredOut,
    assay: Annotated[str, typer.Option("--assay", help=f"{', '.join(PRESETS)}: what is counted, and how.")],
    settings: Set = [],  # noqa: B006, typer copies it
    fragment_bp: Annotated[
        int | None, typer.Option("--fragment-bp", min=1, help="Fragment length of single-end reads; else estimated.")
    ] = None,
    reference: Annotated[
        Path | None, typer.Option("--reference", help="FASTA that a CRAM was made with, if not the genome's.")
    ] = None,
    group_by_name: Annotated[
        bool, typer.Option("--group-by-name", help="Bring records of a read together, in memory.")
    ] = False,
    contig_alias: ContigAlias = None,
    overwrite: Overwrite = False,
) -> None:
    """Turn alignments into coverage: one bigWig, or one a strand, which `regact dataset build` takes.

    Reads with several places are shared out among them by EM on smoothed coverage, and GC bias is taken out. Beside
    NAME.bw lie NAME.json (every number used, what became of the reads, versions) and NAME.html (the quality in
    pictures). `--set` replaces any number of the assay's settings, which docs/coverage.md lists.

    [bold]Examples[/bold]

      regact coverage sample.bam --genome genome.fa --out sample.bw --assay atac

      regact coverage sample.bam --genome genome.fa --out sample.bw --assay chip --set count=fragment --set clip=8

      regact coverage sorted.bam --genome genome.fa --out sample.bw --assay dnase --group-by-name
    """
    result = cover_sample(
        alignments,
        genome,
        out,
        coverage_settings(assay, **_replaced(settings, fragment_bp=fragment_bp)),
        reference=reference,
        contig_alias=contig_alias,
        group_by_name=group_by_name,
        overwrite=overwrite,
        tell=print_remark,
    )
    print_remark(f"quality: {write_reads_page(result.qc, result.card.with_suffix('.html'))}")
    for track in result.tracks:
        print_line(str(track))


def _replaced(texts: list[str], **named: object) -> dict[str, object]:
    """The fields that --set and named options replace; the latter win."""
    values: dict[str, object] = {}
    given = [f"{name}={json.dumps(value)}" for name, value in named.items() if value is not None]
    problems = [problem for text in [*texts, *given] if (problem := override(values, text))]
    if problems:
        raise ConfigError("coverage", problems)
    return values
