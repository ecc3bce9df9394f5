"""`regact report`: models side by side on one page."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from regact.cli.options import Device, Genome, Overwrite, Readers, RequiredOut, Split, SplitName, Store
from regact.cli.output import print_line
from regact.engine import refuse_existing
from regact.report import write_report


def command(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="FOLDER|RUN...", help="The folder of a comparison, or run folders of one dataset."),
    ],
    out: RequiredOut,
    split: Split = SplitName.test,
    region: Annotated[
        str | None,
        typer.Option(
            "--region",
            help="What to show of the genome; without it, a window rich in signal.",
            metavar="NAME:FIRST-LAST",
        ),
    ] = None,
    show: Annotated[
        list[str],
        typer.Option(
            "--show",
            help="Tracks to show there: identifier, assay or regular expression, several times if need be; without it, "
            "the first of each assay.",
            metavar="TRACK",
        ),
    ] = [],  # noqa: B006, typer copies it
    store: Store = None,
    genome: Genome = None,
    device: Device = "auto",
    workers: Readers = None,
    overwrite: Overwrite = False,
) -> None:
    """Put models side by side on one self-contained HTML page.

    Accuracy with intervals, by assay and by track; learned distance functions; a region measured and predicted;
    predicted against measured values; cost; learning curves; and what the runs were made from. Of a comparison's folder
    also which models differ. Runs that differ by their seed alone are one model. The page holds all its figures: it can
    be mailed as it is.

    [bold]Examples[/bold]

      regact report demo/comparison --region chr4:100,001-200,000 --out report.html

      regact report runs/basenji runs/two_sided --split valid --out report.html
    """
    refuse_existing(out, overwrite=overwrite)
    written = write_report(
        runs,
        out,
        split=split.value,
        region=region,
        tracks=show,
        store=store,
        genome=genome,
        device=device,
        workers=workers,
        command=shlex.join(["regact", *sys.argv[1:]]),
    )
    print_line(str(written.resolve()))
