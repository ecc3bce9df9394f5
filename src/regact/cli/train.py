"""`regact train`: an experiment becomes a run folder."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from regact.cli.options import Data, Device, Overwrite, RequiredOut, Resume, Seed, Set, Store, Workers, overrides
from regact.cli.output import print_epoch, print_line, print_remark
from regact.experiment import load_experiment, train_experiment


def command(
    experiment: Annotated[
        Path, typer.Argument(metavar="EXPERIMENT.yaml", help="Data, model and training in one file.")
    ],
    out: RequiredOut,
    store: Store = None,
    preset: Annotated[
        str | None,
        typer.Option("--preset", help="A preset, or a model of the compare section, instead."),
    ] = None,
    tower: Annotated[
        Path | None,
        typer.Option("--tower", help="Start from the tower of this run.", metavar="RUN"),
    ] = None,
    settings: Set = [],  # noqa: B006, typer copies it
    data: Data = None,
    device: Device = "auto",
    workers: Workers = None,
    seed: Seed = None,
    overwrite: Overwrite = False,
    resume: Resume = False,
) -> None:
    """Train the model of an experiment and write a run folder.

    The dataset is built first where it is not there yet. Ctrl-C saves the state; the same command with --resume goes on
    from it, and also after a kill or a power cut (at most `save_minutes` are lost).

    [bold]Examples[/bold]

      regact train experiments/yeast.yaml --out runs/yeast --data data

      regact train experiments/yeast.yaml --out runs/basenji --preset basenji --set training.epochs=5

      regact train experiments/yeast.yaml --out runs/tuned --tower runs/basenji --set transfer.freeze_epochs=2

      regact train experiments/yeast.yaml --out runs/yeast --resume
    """
    replaced = overrides(settings, store=store, seed=seed, tower=tower)
    plan = load_experiment(experiment, data=data, model=preset, overrides=replaced)
    run = train_experiment(
        plan,
        out,
        device=device,
        workers=workers,
        overwrite=overwrite,
        resume=resume,
        command=shlex.join(["regact", *sys.argv[1:]]),
        tell=print_remark,
        on_epoch=print_epoch,
    )
    print_line(str(run))
