"""`regact compare`: the models of an experiment side by side."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from regact.cli.options import Data, Device, OutFolder, Overwrite, Readers, Resume, Seed, Set, Store, overrides
from regact.cli.output import print_epoch, print_line, print_remark
from regact.comparison import compare
from regact.experiment import load_experiment

Jobs = Annotated[
    int,
    typer.Option(
        "--jobs",
        min=1,
        help="Models trained at a time on a CPU, each with its share of the cores; a GPU takes one at a time.",
    ),
]


def command(
    experiment: Annotated[
        Path, typer.Argument(metavar="EXPERIMENT.yaml", help="Data, training, and models in its compare section.")
    ],
    out: OutFolder,
    store: Store = None,
    settings: Set = [],  # noqa: B006, typer copies it
    data: Data = None,
    device: Device = "auto",
    workers: Readers = None,
    jobs: Jobs = 1,
    seed: Seed = None,
    overwrite: Overwrite = False,
    resume: Resume = True,
) -> None:
    """Train the models of an experiment under one budget, with one seed or several, and put them side by side.

    Writes OUT/results.tsv (a row per model, seed and split, and the ridge regression on 4-mers as the floor),
    OUT/results.md (the table of the paper's Figure 6 with 95 % intervals, and which models differ), the numbers behind
    it (OUT/summary.tsv, OUT/differences.tsv), OUT/report.html and a run folder for each model, OUT/runs/NAME or
    OUT/runs/NAME_seedN. Interrupted, it goes on where it was when the same command runs again: finished models are not
    trained again, and results.tsv holds those so far.

    The compare section of the experiment says which models (presets and grid stand for the nine of the paper and for
    every distance function with every way to use it), which seeds, and the budget: epochs, seconds or converged. --seed
    N trains each model once, with that seed.

    [bold]Examples[/bold]

      regact compare experiments/demo.yaml --data demo/genome --out demo/comparison

      regact compare experiments/yeast.yaml --data data --out comparisons/yeast --set training.epochs=5

      regact compare experiments/paper_simulated.yaml --data paper/genome --out paper/comparison --jobs 8

      regact compare experiments/yeast.yaml --out comparisons/grid --set compare.models=grid --set compare.seeds=[1,2,3]
    """
    replaced = overrides(settings, store=store)
    if seed is not None:
        replaced.append("compare.seeds=[]")
    plan = load_experiment(experiment, data=data, seed=seed, overrides=replaced)
    folder = compare(
        plan,
        out,
        device=device,
        workers=workers,
        jobs=jobs,
        overwrite=overwrite,
        resume=resume,
        command=shlex.join(["regact", *sys.argv[1:]]),
        tell=print_remark,
        on_epoch=_print_epoch,
    )
    for name in ("results.tsv", "results.md", "report.html"):
        print_line(str((folder / name).resolve()))


def _print_epoch(name: str, row: Mapping[str, float]) -> None:
    print_epoch(row, name)
