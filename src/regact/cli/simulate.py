"""`regact simulate`: a genome whose answer is known."""

from pathlib import Path
from typing import Annotated

import typer

from regact.cli.options import Overwrite, RequiredOut, Seed, Set, Workers
from regact.cli.output import print_line
from regact.engine import available_cores
from regact.settings import read_settings
from regact.simulation import SimulationConfig, simulate


def command(
    config: Annotated[Path, typer.Argument(metavar="SIMULATION.yaml", help="Settings of the genome and its tracks.")],
    out: RequiredOut,
    settings: Set = [],  # noqa: B006, typer copies it
    seed: Seed = None,
    workers: Workers = None,
    overwrite: Overwrite = False,
) -> None:
    """Write a simulated genome, its tracks and the true answer.

    The folder holds the sequence, a track sheet with counts, the expected counts, the elements, what each element does
    to each promoter, and the settings from which `regact.simulation.load_truth` gives the answer for any sequence.

    [bold]Examples[/bold]

      regact simulate experiments/simulation_demo.yaml --out simulated

      regact simulate experiments/simulation_demo.yaml --out simulated --seed 7 --set contact.distal_share=0.8
    """
    plan = read_settings(config, SimulationConfig, overrides=settings)
    print_line(
        str(
            simulate(
                plan, out, seed=seed, workers=available_cores() if workers is None else workers, overwrite=overwrite
            )
        )
    )
