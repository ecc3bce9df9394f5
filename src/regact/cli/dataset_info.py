"""`regact dataset info`: what a store holds."""

from pathlib import Path
from typing import Annotated

import typer

from regact.cli.output import print_line, print_table
from regact.dataset import open_store
from regact.dataset.summary import summarize_store

_SHOWN_TRANSFORMS = 20


def command(
    store: Annotated[Path, typer.Argument(metavar="STORE", help="Store, as `regact dataset build` writes it.")],
) -> None:
    """Show what a store holds and what it was made from.

    The window table and the track sheet stand as text in STORE/windows.bed and STORE/targets.txt.

    [bold]Example[/bold]

      regact dataset info stores/yeast
    """
    summary = summarize_store(open_store(store))
    print_table(("store", str(store)), summary.facts)
    print_line("")
    print_table(
        ("split", "windows", "chromosomes", "contigs", "bp", "bins that count"),
        [(s.split, s.windows, s.chroms, s.contigs, s.covered_bp, f"{s.counted_fraction:.1%}") for s in summary.splits],
    )
    print_line("")
    print_table(("assay", "tracks"), summary.assays)
    print_line("")
    print_table(
        ("sum_stat", "clip_soft", "clip", "scale", "depth factor", "tracks"), summary.transforms[:_SHOWN_TRANSFORMS]
    )
    more = len(summary.transforms) - _SHOWN_TRANSFORMS
    if more > 0:
        print_line(f"... and {more} other transforms")
    for remark in summary.remarks:
        print_line(f"remark: {remark}")
