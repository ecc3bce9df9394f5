"""`regact report`: runs side by side on one page."""

from pathlib import Path
from typing import Annotated

import typer

from regact.cli.options import Device, Genome, Overwrite, RequiredOut, Split, SplitName, Store, Workers
from regact.cli.output import print_line
from regact.engine import refuse_existing
from regact.report import write_report


def command(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders, all of one dataset.")],
    out: RequiredOut,
    split: Split = SplitName.test,
    store: Store = None,
    genome: Genome = None,
    device: Device = "auto",
    workers: Workers = 0,
    overwrite: Overwrite = False,
) -> None:
    """Put runs side by side on one self-contained HTML page.

    Accuracy per assay, learning curves, learned distance functions, one region measured and predicted, and what the
    runs were made from. The page holds all its figures: it can be mailed as it is.

    [bold]Example[/bold]

      regact report runs/basenji runs/two_sided --split test --out report.html
    """
    refuse_existing(out, overwrite=overwrite)
    written = write_report(
        runs, out, split=split.value, store=store, genome=genome, device=device, workers=workers or 0
    )
    print_line(str(written.resolve()))
