"""`regact weights import-basenji-2018`: a TensorFlow 1 checkpoint of Basenji becomes a run folder."""

from pathlib import Path
from typing import Annotated

import typer

from regact.cli.options import Overwrite, RunFolder, Tracks, TrainedOn
from regact.cli.output import print_line, print_remark
from regact.dataset.basenji import read_sample_sheet
from regact.errors import ConfigError
from regact.pretrained import describe_run, import_basenji_2018
from regact.tracks import TrackSheet, read_published_sheet


def command(
    prefix: Annotated[
        Path, typer.Argument(metavar="PREFIX", help="The checkpoint's files without their ends, such as model.tf.")
    ],
    out: RunFolder,
    params: Annotated[
        Path | None,
        typer.Option("--params", help="The network's params.txt, where it is not the published one.", metavar="TXT"),
    ] = None,
    samples: Annotated[
        Path | None, typer.Option("--samples", help="Its samples: identifier, file, label.", metavar="TSV")
    ] = None,
    tracks: Tracks = None,
    window_bp: Annotated[
        int | None, typer.Option("--window-bp", min=1, help="Bases in a window; 131,072 as published.")
    ] = None,
    crop_bins: Annotated[
        int | None, typer.Option("--crop-bins", min=0, help="Bins dropped at each end; 32 as published.")
    ] = None,
    windows: TrainedOn = None,
    overwrite: Overwrite = False,
) -> None:
    """Import the weights of Basenji as published in 2018 (TensorFlow 1) into a run folder.

    The checkpoint is read without TensorFlow: PREFIX.index and its data files, every checksum looked at. Widths are
    read from the shapes, so networks of the same layout fit too; --params says what differs from the published one.
    A checkpoint does not name its tracks: --samples or --tracks does. `regact evaluate --store` and `regact train
    --tower` take the run folder. docs/import.md says what is read and how near the answers are.

    [bold]Examples[/bold]

      regact weights import-basenji-2018 model.tf runs/basenji2018 --samples sample_wigs.txt

      regact weights import-basenji-2018 model.tf runs/basenji2018 --crop-bins 0

      regact weights import-basenji-2018 small/model_best.tf runs/small --params small/params.txt --window-bp 65536
    """
    sheet = _read_sheet(samples, tracks)
    run = import_basenji_2018(
        prefix,
        out,
        params=params,
        sheet=sheet,
        window_bp=window_bp,
        crop_bins=crop_bins,
        windows=windows,
        overwrite=overwrite,
    )
    if sheet is None:
        print_remark("tracks are called track_1, track_2, ...: name them with --samples or --tracks")
    print_remark(describe_run(run))
    print_line(str(run))


def _read_sheet(samples: Path | None, tracks: Path | None) -> TrackSheet | None:
    if samples and tracks:
        raise ConfigError("--samples", ["given together with --tracks; needed one of them"])
    if samples:
        return read_sample_sheet(samples, tell=print_remark)
    return read_published_sheet(tracks, tell=print_remark) if tracks else None
