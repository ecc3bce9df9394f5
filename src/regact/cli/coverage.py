"""`regact coverage`: reads to bigWig, card and page of quality, for a sample, groups of cells or a sheet of samples."""

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from regact.cli.options import ContigAlias, Overwrite, RequiredGenome, RequiredOut, Set
from regact.cli.output import print_line, print_remark
from regact.errors import ConfigError
from regact.reads import (
    PRESETS,
    SampleCoverage,
    SheetRow,
    cover_sample,
    cover_samples,
    coverage_settings,
    read_sample_sheet,
)
from regact.report.reads_page import write_reads_page
from regact.settings import override


def command(
    reads: Annotated[
        Path | None, typer.Argument(metavar="SAMPLE.bam", help="BAM, CRAM, SAM, or fragments.tsv.gz of single cells.")
    ] = None,
    *,
    genome: RequiredGenome,
    out: RequiredOut,
    assay: Annotated[
        str | None, typer.Option("--assay", help=f"{', '.join(PRESETS)}: what is counted, and how.")
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option("--sheet", help="Many samples: a table with columns sample, file, assay.", metavar="TSV"),
    ] = None,
    groups: Annotated[
        Path | None,
        typer.Option("--groups", help="Barcodes of fragments.tsv.gz and their groups, a bigWig each.", metavar="TSV"),
    ] = None,
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
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", min=0, help="Samples at once; by default as many as there are CPU cores and free memory for."
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Turn alignments into coverage: one bigWig, or one a strand, which `regact dataset build` takes.

    Reads with several places are shared out among them by EM on smoothed coverage, and GC bias is taken out. Beside
    NAME.bw lie NAME.json (every number used, what became of the reads, versions) and NAME.html (the quality in
    pictures). `--set` replaces any number of the assay's settings, which docs/coverage.md lists.

    With `--sheet` or `--groups`, --out is a folder with these files of every sample, the track sheet tracks.tsv and the
    table qc.tsv. Samples that are finished are kept, so the same command goes on where it was stopped.

    [bold]Examples[/bold]

      regact coverage sample.bam --genome genome.fa --out sample.bw --assay atac

      regact coverage sample.bam --genome genome.fa --out sample.bw --assay chip --set count=fragment --set clip=8

      regact coverage sorted.bam --genome genome.fa --out sample.bw --assay dnase --group-by-name

      regact coverage --sheet samples.tsv --genome genome.fa --out coverage --workers 4

      regact coverage fragments.tsv.gz --groups cells.tsv --genome genome.fa --out coverage --assay atac
    """
    problems = _call_problems(reads, sheet, groups, assay)
    if problems:
        raise ConfigError("coverage", problems)
    replaced = _replaced(settings, fragment_bp=fragment_bp)
    how: dict[str, Any] = {
        "reference": reference,
        "contig_alias": contig_alias,
        "group_by_name": group_by_name,
        "overwrite": overwrite,
    }
    if reads is not None and groups is None:
        sample = cover_sample(reads, genome, out, coverage_settings(assay or "", **replaced), tell=print_remark, **how)
        print_remark(f"quality: {_write_page(sample)}")
        for track in sample.tracks:
            print_line(str(track))
        return
    rows: Sequence[SheetRow] = ()
    if reads is not None:
        rows = [SheetRow("", reads, coverage_settings(assay or "", **replaced), groups)]
    elif sheet is not None:
        rows = read_sample_sheet(sheet, assay=assay, replaced=replaced)
    covered = cover_samples(rows, genome, out, workers=workers, tell=print_remark, on_sample=_write_page, **how)
    print_remark(f"quality: {covered.qc}")
    print_line(str(covered.tracks))


def _call_problems(reads: Path | None, sheet: Path | None, groups: Path | None, assay: str | None) -> list[str]:
    """Which options exclude or need each other."""
    problems = []
    if (reads is None) == (sheet is None):
        problems.append("give either a file of alignments or --sheet")
    if sheet is not None and groups is not None:
        problems.append("--groups goes with one file; in a sheet it is a column")
    if sheet is None and assay is None:
        problems.append(f"--assay is missing; needed one of {', '.join(PRESETS)}")
    return problems


def _write_page(sample: SampleCoverage) -> Path:
    """Write the sample's page where there is none since it was finished; return its path."""
    page = sample.card.with_suffix(".html")
    if not page.exists() or page.stat().st_mtime_ns < sample.card.stat().st_mtime_ns:
        write_reads_page(sample.qc, page, command=shlex.join(["regact", *sys.argv[1:]]))
    return page


def _replaced(texts: list[str], **named: object) -> dict[str, object]:
    """The fields that --set and named options replace; the latter win."""
    values: dict[str, object] = {}
    given = [f"{name}={json.dumps(value)}" for name, value in named.items() if value is not None]
    problems = [problem for text in [*texts, *given] if (problem := override(values, text))]
    if problems:
        raise ConfigError("coverage", problems)
    return values
