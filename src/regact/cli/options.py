"""The options that several commands share: one word, one meaning, declared once.

A command takes them as parameters: `def command(out: RequiredOut, seed: Seed = None, overwrite: Overwrite = False)`.
An option that only one command has is declared in that command's file.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

_GENOME = typer.Option("--genome", help="Genome FASTA: plain, gzip or bgzip.", metavar="FASTA")
_TRACKS = typer.Option("--tracks", help="Track sheet: a tab-separated table with one row a track.", metavar="TSV")
_STORE = typer.Option("--store", help="Dataset store, as `regact dataset build` writes it.", metavar="FOLDER")
_OUT = typer.Option("--out", "-o", help="Where the result goes; it appears there only when whole.", metavar="PATH")

Genome = Annotated[Path | None, _GENOME]
RequiredGenome = Annotated[Path, _GENOME]
Tracks = Annotated[Path | None, _TRACKS]
RequiredTracks = Annotated[Path, _TRACKS]
Store = Annotated[Path | None, _STORE]
Out = Annotated[Path | None, _OUT]
OutFolder = Annotated[
    Path,
    typer.Option(
        "--out", "-o", help="Folder of the results; there from the start, gone on with after a stop.", metavar="FOLDER"
    ),
]
RequiredOut = Annotated[Path, _OUT]

Device = Annotated[
    str, typer.Option("--device", help="auto, cpu, cuda, cuda:N or mps; auto takes the first accelerator.")
]
Devices = Annotated[
    int | None,
    typer.Option(
        "--devices",
        min=1,
        help="Devices of this machine to share each batch among, one process for each; torchrun and srun say it "
        "themselves.",
    ),
]
Workers = Annotated[
    int | None, typer.Option("--workers", min=0, help="Worker processes; without it, as many as there are CPU cores.")
]
Readers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=0,
        help="Processes that read ahead for each device; without it, none for a CPU and up to four for a GPU. A "
        "dataset that has to be built takes as many, without it all cores.",
    ),
]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Seed of everything random.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an output that is already there.")]
Resume = Annotated[
    bool, typer.Option("--resume/--no-resume", help="Continue what an interrupted run left, or begin anew.")
]
ContigAlias = Annotated[
    str | None,
    typer.Option(
        "--contig-alias",
        help="How contig names of other files become the genome's: `chr` where they differ by that prefix alone, "
        "or a two-column table (other name, genome's name).",
        metavar="chr|TSV",
    ),
]


StorePath = Annotated[Path, typer.Argument(metavar="STORE", help="Where the store goes; it appears there when whole.")]

RunFolder = Annotated[Path, typer.Argument(metavar="OUT", help="The run folder; it appears there when whole.")]


TrainedOn = Annotated[
    Path | None,
    typer.Option(
        "--trained-on",
        help="The windows that the weights were trained on (sequences.bed of the training data), kept beside them: "
        "`regact train` warns who goes on from them and tests on the same.",
        metavar="BED",
    ),
]


class NotFiniteChoice(StrEnum):
    """What is done about inf and NaN in imported targets."""

    stop = "stop"
    clip = "clip"


NotFinite = Annotated[
    NotFiniteChoice,
    typer.Option("--not-finite", help="Of inf and NaN among the targets: stop, or take inf as the clip and NaN as 0."),
]


class SplitName(StrEnum):
    """The splits of a dataset."""

    train = "train"
    valid = "valid"
    test = "test"


Split = Annotated[SplitName, typer.Option("--split", help="The windows to judge on.")]
Data = Annotated[
    Path | None,
    typer.Option("--data", help="The folder that `${data}` in an experiment stands for.", envvar="REGACT_DATA"),
]
Set = Annotated[
    list[str],
    typer.Option(
        "--set", help="Replace one value of the configuration; may be given several times.", metavar="FIELD=VALUE"
    ),
]


def overrides(settings: list[str], *, store: Path | None, tower: Path | None = None) -> list[str]:
    """What --set, --store and --tower replace in an experiment, as FIELD=VALUE; named options win over --set."""
    named = {"store": store, "transfer.run": tower}
    return [*settings, *(f"{field}={value}" for field, value in named.items() if value is not None)]
