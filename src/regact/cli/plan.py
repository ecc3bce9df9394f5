"""`regact plan`: what an experiment will take, before anything starts."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from regact.cli.options import Data, Device, Readers, Set, Store, overrides
from regact.cli.output import print_line, print_remark, print_table
from regact.experiment import load_experiment
from regact.planning import Command, Machine, Plan, Step, find_machine, plan_experiment

_GB = 1e9


def command(
    experiment: Annotated[
        Path, typer.Argument(metavar="EXPERIMENT.yaml", help="Data, model and training in one file.")
    ],
    planned: Annotated[
        Command | None,
        typer.Option("--for", help="The command to plan; compare where the experiment lists models to compare."),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option("--preset", help="A preset, or a model of the compare section, instead; as in `regact train`."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Where the runs will lie (room on its disk); nothing is written.",
            metavar="FOLDER",
        ),
    ] = None,
    store: Store = None,
    settings: Set = [],  # noqa: B006, typer copies it
    data: Data = None,
    device: Device = "auto",
    workers: Readers = None,
    ram: Annotated[float | None, typer.Option("--ram", min=0, help="GB of the machine it is for.")] = None,
    gpu_memory: Annotated[float | None, typer.Option("--gpu-memory", min=0, help="GB of its GPU.")] = None,
    disk: Annotated[float | None, typer.Option("--disk", min=0, help="GB free on its disk.")] = None,
    seconds: Annotated[
        float, typer.Option("--seconds", min=1, help="How long measuring may take, roughly; longer is nearer.")
    ] = 45.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: bytes and seconds.")] = False,
) -> None:
    """Say how much memory, disk and time every step of an experiment will take, before anything starts.

    A few windows of the dataset are built or imported and a few steps of every model are taken, for about a minute in
    all; what remains is drawn as straight lines, and the table says which is which. Exits with 1, naming all shortages,
    where this machine, or the one that --ram, --gpu-memory and --disk describe, is too small. Times are always those of
    this machine. docs/plan.md says how near the figures are.

    [bold]Examples[/bold]

      regact plan experiments/yeast.yaml --data data

      regact plan experiments/demo.yaml --data demo/genome --for train --preset basenji

      regact plan experiments/yeast.yaml --data data --ram 8 --disk 20 --json
    """
    machine = _machine(device, ram, gpu_memory, disk)
    plan = load_experiment(experiment, data=data, model=preset, overrides=overrides(settings, store=store))
    found = plan_experiment(
        plan,
        command="train" if preset and planned is None else planned,
        out=out or Path(),
        device=device,
        workers=workers,
        machine=machine,
        seconds=seconds,
    )
    if as_json:
        print_line(json.dumps(found.to_dict(), indent=2))
    else:
        _print(found)
    found.check()


def _machine(device: str, ram: float | None, gpu_memory: float | None, disk: float | None) -> Machine | None:
    """The machine that options describe; what they do not say is as here."""
    here = find_machine(device)
    if gpu_memory is not None and here.gpu_bytes is None:
        print_remark(
            f"warning: --gpu-memory is not held against anything: models are tried on {here.device} here, and what "
            "they take of a GPU is measured on one alone"
        )
    given = {"ram_bytes": ram, "gpu_bytes": gpu_memory, "disk_bytes": disk}
    said: dict[str, Any] = {name: int(size * _GB) for name, size in given.items() if size is not None}
    return replace(here, **said) if said else None


def _print(plan: Plan) -> None:
    columns = ("step", "time", "core time", "RAM GB", "GPU GB", "disk GB", "for a time GB", "from")
    print_table(columns, [tuple(_row(step)) for step in (*plan.steps, plan.total)], title=f"{plan.command} {plan.name}")
    for remark in (*plan.remarks, f"measuring took {plan.measured_seconds:.0f} s"):
        print_remark(remark)


def _row(step: Step) -> Iterator[object]:
    yield step.name
    yield ("<= " if step.at_most else "") + _clock(step.seconds)
    yield ("<= " if step.at_most else "") + _clock(step.cpu_seconds)
    for size in (step.ram_bytes, step.gpu_bytes, step.disk_bytes, step.passing_bytes):
        yield "" if size is None else f"{size / _GB:.2f}"
    yield step.basis


def _clock(seconds: float) -> str:
    """Hours, minutes, seconds."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
