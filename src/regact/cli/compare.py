"""`regact compare`: the models of an experiment side by side."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from regact.cli.options import Data, Device, Overwrite, RequiredOut, Resume, Seed, Set, Store, Workers, overrides
from regact.cli.output import print_epoch, print_line, print_remark
from regact.comparison import compare
from regact.experiment import load_experiment


def command(
    experiment: Annotated[
        Path, typer.Argument(metavar="EXPERIMENT.yaml", help="Data, training, and models in its compare section.")
    ],
    out: RequiredOut,
    store: Store = None,
    settings: Set = [],  # noqa: B006, typer copies it
    data: Data = None,
    device: Device = "auto",
    workers: Workers = None,
    seed: Seed = None,
    overwrite: Overwrite = False,
    resume: Resume = True,
) -> None:
    """Train the models of an experiment under one budget and put them side by side.

    Writes OUT/results.tsv (a row per model and split, and the ridge regression on 4-mers as the floor), OUT/report.html
    and a run folder for each model, OUT/runs/NAME. Interrupted, it goes on where it was when the same command runs
    again: finished models are not trained again, and results.tsv holds those so far.

    [bold]Examples[/bold]

      regact compare experiments/demo.yaml --data demo/genome --out demo/comparison

      regact compare experiments/yeast.yaml --data data --out comparisons/yeast --set training.epochs=5
    """
    plan = load_experiment(experiment, data=data, overrides=overrides(settings, store=store, seed=seed))
    folder = compare(
        plan,
        out,
        device=device,
        workers=workers,
        overwrite=overwrite,
        resume=resume,
        command=shlex.join(["regact", *sys.argv[1:]]),
        tell=print_remark,
        on_epoch=_print_epoch,
    )
    for name in ("results.tsv", "report.html"):
        print_line(str((folder / name).resolve()))


def _print_epoch(name: str, row: Mapping[str, float]) -> None:
    print_epoch(row, name)
