"""`regact weights import-keras`: a Keras model of Basenji2's or Borzoi's kind becomes a run folder."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from regact.cli.options import Overwrite, RunFolder, Tracks, TrainedOn
from regact.cli.output import print_line, print_remark
from regact.pretrained import describe_run, import_keras
from regact.tracks import read_published_sheet


class GeluChoice(StrEnum):
    """The forms of GELU that Keras files have."""

    sigmoid = "sigmoid"
    tanh = "tanh"
    erf = "erf"


def command(
    model: Annotated[Path, typer.Argument(metavar="MODEL.h5", help="The file that Keras 2 wrote.")],
    out: RunFolder,
    params: Annotated[Path, typer.Option("--params", help="The network's params.json.", metavar="JSON")],
    head: Annotated[
        str | None, typer.Option("--head", help="Which of several heads, such as human; else the one that fits.")
    ] = None,
    gelu: Annotated[
        GeluChoice | None, typer.Option("--gelu", help="The form of GELU; else the one that the file says.")
    ] = None,
    tracks: Tracks = None,
    window_bp: Annotated[
        int | None, typer.Option("--window-bp", min=1, help="Bases in a window; else seq_length of params.json.")
    ] = None,
    windows: TrainedOn = None,
    overwrite: Overwrite = False,
) -> None:
    """Import a Keras model of Basenji2's or Borzoi's kind into a run folder.

    MODEL.h5 is read without TensorFlow. params.json says which layers there are; the weights are those of the file's
    layers in their order, and every shape, dilation, pool and crop that the file tells is compared with it. A Keras
    file does not name its tracks: --tracks does, with the targets.txt of the training data; their strand pairs it may
    have. `regact evaluate --store` and `regact train --tower` take the run folder. docs/import.md says what is read
    and how near the answers are.

    [bold]Examples[/bold]

      regact weights import-keras model_human.h5 runs/basenji2 --params params_human.json --tracks targets_human.txt

      regact weights import-keras model0_best.h5 runs/borzoi --params params.json --head human

      regact weights import-keras old.h5 runs/old --params params.json --gelu sigmoid --window-bp 65536
    """
    sheet = read_published_sheet(tracks, tell=print_remark) if tracks else None
    run = import_keras(
        model,
        out,
        params=params,
        head=head,
        gelu=gelu.value if gelu else None,
        sheet=sheet,
        window_bp=window_bp,
        windows=windows,
        overwrite=overwrite,
        tell=print_remark,
    )
    print_remark(describe_run(run))
    print_line(str(run))
