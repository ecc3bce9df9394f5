"""How commands print: results on stdout, remarks on stderr; tables for eyes on a terminal, tab-separated in a pipe."""

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from regact.cli.options import SplitName


def print_line(text: str) -> None:
    """Print one line of the result to stdout, never wrapped."""
    typer.echo(text)


def print_remark(text: str) -> None:
    """Print a line about the work, not part of the result, to stderr."""
    typer.echo(text, err=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
    """Print a table to stdout: aligned on a terminal, plain tab-separated values otherwise. Floats get 4 digits."""
    texts = [[_text(value) for value in row] for row in rows]
    if not sys.stdout.isatty():
        for line in [list(columns), *texts]:
            typer.echo("\t".join(line))
        return
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        numeric = bool(texts) and all(_is_number(row[index]) for row in texts)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in texts:
        table.add_row(*(escape(text) for text in row))
    Console().print(table)


def print_store(splits: Iterable[str], store: Path) -> None:
    """Print how many windows of each split a new store has to stderr, and where it is to stdout."""
    counts = Counter(splits)
    print_remark("windows: " + ", ".join(f"{counts[split.value]:,} {split.value}" for split in SplitName))
    print_line(str(store))


def print_epoch(row: Mapping[str, float], name: str = "") -> None:
    """Print a row of a run's log to stderr, with the run's name where several are trained."""
    print_remark(
        f"{name}{': ' if name else ''}epoch {row['epoch']:.0f}, {row['seconds'] / 60:.1f} min: "
        f"loss {row['train_loss']:.4f}, valid loss {row['valid_loss']:.4f}, valid Pearson {row['valid_pearson']:.4f}, "
        f"of log(1 + count) {row['valid_pearson_log1p']:.4f}, r2 {row['valid_r2']:.4f}"
    )


def _text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", ""))
    except ValueError:
        return False
    return True
