"""`regact train`: an experiment becomes a run folder."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from regact.cli.options import (
    Data,
    Device,
    Devices,
    OutFolder,
    Overwrite,
    Readers,
    Resume,
    Seed,
    Set,
    Store,
    overrides,
)
from regact.cli.output import print_epoch, print_line, print_remark
from regact.experiment import load_experiment, train_experiment
from regact.training import is_first_process


def command(
    experiment: Annotated[
        Path, typer.Argument(metavar="EXPERIMENT.yaml", help="Data, model and training in one file.")
    ],
    out: OutFolder,
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
    devices: Devices = None,
    workers: Readers = None,
    seed: Seed = None,
    overwrite: Overwrite = False,
    resume: Resume = False,
) -> None:
    """Train the model of an experiment and write a run folder.

    The dataset is built first where it is not there yet. Ctrl-C saves the state; the same command with --resume goes on
    from it, and also after a kill or a power cut (at most `save_minutes` are lost). docs/training.md says how training
    works, how it shares a batch among devices, and what to do when memory is short.

    [bold]Examples[/bold]

      regact train experiments/yeast.yaml --out runs/yeast --data data

      regact train experiments/yeast.yaml --out runs/basenji --preset basenji --set training.epochs=5

      regact train experiments/yeast.yaml --out runs/tuned --tower runs/basenji --set transfer.freeze_epochs=2

      regact train experiments/yeast.yaml --out runs/yeast --resume

      regact train experiments/yeast.yaml --out runs/yeast --device cuda --devices 4 --set training.batch_size=32
    """
    replaced = overrides(settings, store=store, tower=tower)
    plan = load_experiment(experiment, data=data, model=preset, seed=seed, overrides=replaced)
    run = train_experiment(
        plan,
        out,
        device=device,
        devices=devices,
        workers=workers,
        overwrite=overwrite,
        resume=resume,
        command=shlex.join(["regact", *sys.argv[1:]]),
        tell=print_remark,
        on_epoch=print_epoch,
    )
    if is_first_process():
        print_line(str(run))
