"""The table of commands, and the one mechanism that loads, runs and reports them.

To add a command: (1) write `regact/cli/<name>.py` with one function named `command`, whose parameters are the shared
types of `options.py` or `Annotated[...]` of its own, and whose docstring is the help text, examples last; (2) add a row
to `COMMANDS` with the docstring's first line; (3) name it in the documentation. A name of two words belongs to a group.

A command's module is imported only when the command runs (or its own --help is asked for), so that `regact --help` does
not wait for torch. A command calls one function of the library and prints the answer through `output.py`; it raises the
errors of `regact.errors` and neither catches them nor exits by itself.
"""

import importlib
import traceback
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from regact.errors import ConfigError, RegactError

EXIT_ERROR, EXIT_INTERRUPTED = 1, 130

# name on the command line -> (module, first line of its help)
COMMANDS = {
    "simulate": ("regact.cli.simulate", "Write a simulated genome, its tracks and the true answer."),
    "simulate-reads": (
        "regact.cli.simulate_reads",
        "Write reads (FASTQ) drawn from tracks, and their origins.",
    ),
    "align": (
        "regact.cli.align",
        "Align reads to a genome with Bowtie2, every place of a read reported, grouped by read name.",
    ),
    "coverage": (
        "regact.cli.coverage",
        "Turn alignments into coverage: one bigWig, or one a strand, which `regact dataset build` takes.",
    ),
    "dataset build": ("regact.cli.dataset_build", "Build a store of training examples from a genome and tracks."),
    "dataset import-basenji": (
        "regact.cli.dataset_import_basenji",
        "Import a data directory of Basenji, Basenji2 or Borzoi into a store.",
    ),
    "dataset import-basenji-h5": (
        "regact.cli.dataset_import_basenji_h5",
        "Import the HDF5 of Basenji's paper of 2018, which the attention models were trained on, into a store.",
    ),
    "dataset info": ("regact.cli.dataset_info", "Show what a store holds and what it was made from."),
    "dataset audit": ("regact.cli.dataset_audit", "Find tracks and splits of a store that would mislead training."),
    "model show": (
        "regact.cli.model_show",
        "Show a model's layers, parameters, cost and receptive field; draw it with --out.",
    ),
    "weights import-basenji-2018": (
        "regact.cli.weights_import_basenji_2018",
        "Import the weights of Basenji as published in 2018 (TensorFlow 1) into a run folder.",
    ),
    "weights import-keras": (
        "regact.cli.weights_import_keras",
        "Import a Keras model of Basenji2's or Borzoi's kind into a run folder.",
    ),
    "weights export": (
        "regact.cli.weights_export",
        "Write a run's weights and what is known of them as one folder that travels.",
    ),
    "plan": (
        "regact.cli.plan",
        "Say how much memory, disk and time every step of an experiment will take, before anything starts.",
    ),
    "train": ("regact.cli.train", "Train the model of an experiment and write a run folder."),
    "tune": ("regact.cli.tune", "Search for the settings of an experiment that score best on its validation split."),
    "evaluate": ("regact.cli.evaluate", "Judge the best weights of a run on one split of its dataset."),
    "compare": (
        "regact.cli.compare",
        "Train the models of an experiment under one budget, with one seed or several, and put them side by side.",
    ),
    "report": ("regact.cli.report", "Put models side by side on one self-contained HTML page."),
    "doctor": ("regact.cli.doctor", "Show versions, devices and programs, and what is missing for which command."),
}
GROUPS = {
    "": "Predict regulatory activity from DNA sequence, and explain what was learned.",
    "dataset": "Build or import datasets and look into them.",
    "model": "Look into models.",
    "weights": "Take weights in from elsewhere, and send yours on their way.",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `regact` with `arguments` (the command line's by default).

    Exits with 0; 1 after an error, 2 after a wrong call, 130 when interrupted.
    """
    build_group("")(args=arguments, prog_name="regact")


class CommandGroup(TyperGroup):
    """The commands of `COMMANDS` under one prefix, shown by their table rows and loaded when they run."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return (name, command, remaining arguments), with the command's module loaded."""
        name, command, rest = super().resolve_command(ctx, args)
        full_name = " ".join([*ctx.command_path.split()[1:], str(name)])
        return name, load_command(full_name) if full_name in COMMANDS else command, rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what a user can mend becomes lines on stderr and an exit code."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # whoever read our output has gone; typer ends quietly
            raise
        except (RegactError, OSError) as error:
            if ctx.meta.get("regact.debug"):
                traceback.print_exc()
            for line in error_lines(error):
                typer.echo(f"regact: error: {line}", err=True)
            raise typer.Exit(EXIT_ERROR) from error
        except KeyboardInterrupt as interrupt:
            typer.echo("regact: interrupted", err=True)
            raise typer.Exit(EXIT_INTERRUPTED) from interrupt


def error_lines(error: RegactError | OSError) -> Iterator[str]:
    """Yield an error's message as one line, or as one line per problem where several were found."""
    if isinstance(error, ConfigError):
        messages = [f"{error.where}: {problem}" for problem in error.problems]
    elif isinstance(error, OSError) and error.filename is not None:
        messages = [f"{error.filename}: {error.strerror}"]
    else:
        messages = [str(error)]
    for message in messages:
        yield " ".join(message.split())


def build_group(prefix: str) -> CommandGroup:
    """Return the root group ("") or one of `GROUPS`, holding a light stand-in for every command."""
    members: dict[str, Any] = {}
    for name, (_, summary) in COMMANDS.items():
        first, *rest = name.removeprefix(prefix).split()
        if not name.startswith(prefix) or first in members:
            continue
        members[first] = build_group(first) if rest else TyperCommand(first, help=summary)
    return CommandGroup(
        name=prefix or "regact",
        help=GROUPS[prefix],
        commands=members,
        params=_options(_group_options) if not prefix else _options(_command_options),
        rich_markup_mode="rich",
        no_args_is_help=True,
    )


def load_command(name: str) -> TyperCommand:
    """Import the module of the command called `name` and return the command."""
    module, summary = COMMANDS[name]
    command = _from_function(importlib.import_module(module).command, name=name.split()[-1], short_help=summary)
    command.params += _options(_command_options)
    return command


def _from_function(function: Any, **settings: Any) -> TyperCommand:
    # Python's own traceback for a bug: typer's hides frames and cannot be pasted into an issue.
    app = typer.Typer(add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)
    app.command(**settings)(function)
    command = typer.main.get_command(app)
    if not isinstance(command, TyperCommand):
        raise TypeError(f"{function} did not become a single command")
    for option in command.params:
        if getattr(option, "is_flag", False):
            option.metavar = ""  # help would say `<bool>`, as if a value had to follow
    return command


def _options(function: Any) -> list[Any]:
    return list(_from_function(function).params)


def _remember_debug(context: typer.Context, value: bool) -> None:
    if value:
        context.meta["regact.debug"] = True  # one mapping for a command and the groups above it


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"regact {version('regact')}")
        raise typer.Exit


def _command_options(
    debug: Annotated[
        bool,
        typer.Option("--debug", help="Show the traceback of an error.", callback=_remember_debug, expose_value=False),
    ] = False,
) -> None: ...


def _group_options(
    show_version: Annotated[
        bool,
        typer.Option("--version", help="Show the version and exit.", callback=_show_version, expose_value=False),
    ] = False,
    debug: Annotated[
        bool,
        typer.Option("--debug", help="Show the traceback of an error.", callback=_remember_debug, expose_value=False),
    ] = False,
) -> None: ...
