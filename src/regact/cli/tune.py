"""`regact tune`: better settings for an experiment."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from regact.cli.options import Data, Device, OutFolder, Overwrite, Readers, Resume, Seed, Set, Store, overrides
from regact.cli.output import print_epoch, print_line, print_remark
from regact.experiment import load_experiment
from regact.tuning import tune, with_space


def command(
    experiment: Annotated[
        Path, typer.Argument(metavar="EXPERIMENT.yaml", help="Data, model, training, and where to search (tune).")
    ],
    out: OutFolder,
    space: Annotated[
        str | None,
        typer.Option(
            "--space",
            help="Search here instead: a YAML file with a line for each setting, or `paper`, what the paper tuned.",
            metavar="FILE|paper",
        ),
    ] = None,
    trials: Annotated[
        int | None, typer.Option("--trials", min=1, help="Trials of the whole study, all its workers together.")
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option("--preset", help="Tune a preset, or a model of the compare section, instead."),
    ] = None,
    store: Store = None,
    settings: Set = [],  # noqa: B006, typer copies it
    data: Data = None,
    device: Device = "auto",
    workers: Readers = None,
    seed: Seed = None,
    overwrite: Overwrite = False,
    resume: Resume = True,
) -> None:
    r"""Search for the settings of an experiment that score best on its validation split.

    Trials train the experiment with values drawn from its tune section; those that fall behind are ended early. The
    same command, started again elsewhere on the same OUT, is a further worker; started again after a stop or a kill, it
    goes on. Writes OUT/trials.tsv, OUT/best.yaml (for `regact train`), OUT/importance.png, OUT/parallel.png and a run
    folder for each trial. Needs the extra `tune`: pip install "regact\[tune]".

    [bold]Examples[/bold]

      regact tune experiments/yeast.yaml --data data --space paper --trials 40 --out studies/yeast

      regact tune experiments/yeast.yaml --data data --space space.yaml --set training.epochs=5 --out studies/short

      regact train studies/yeast/best.yaml --out runs/best
    """
    changed = overrides(settings, store=store)
    if seed is not None:
        changed.append(f"tune.seed={seed}")
    if trials is not None:
        changed.append(f"tune.trials={trials}")
    plan = load_experiment(experiment, data=data, model=preset, seed=seed, overrides=changed)
    folder = tune(
        plan if space is None else with_space(plan, space),
        out,
        device=device,
        workers=workers,
        overwrite=overwrite,
        resume=resume,
        command=shlex.join(["regact", *sys.argv[1:]]),
        tell=print_remark,
        on_epoch=_print_epoch,
    )
    for name in ("trials.tsv", "best.yaml", "importance.png", "parallel.png"):
        if (folder / name).exists():
            print_line(str(folder / name))


def _print_epoch(trial: int, row: Mapping[str, float]) -> None:
    print_epoch(row, f"trial {trial}")
