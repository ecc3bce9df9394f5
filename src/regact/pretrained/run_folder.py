"""What every importer ends with: a run folder, which evaluation, transfer and the rest take like one that was trained.

    weights.safetensors  the imported weights, with the model's spec
    config.yaml          the model, and what it was imported from
    card.json            the same and the tracks; `state` is imported, and there is no store, genome or training

There is no log, no table of metrics and nothing to resume.
"""

import importlib.metadata
import platform
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from regact.engine import refuse_existing, sha256_of, whole_folder
from regact.errors import ConfigError
from regact.model import SequenceModel, count, load_spec, save_model
from regact.tracks import Track, TrackSheet
from regact.training.card import describe_tracks
from regact.training.run_folder import CARD, write_card, write_settings
from regact.training.seen_windows import keep_windows


def write_imported_run(
    model: SequenceModel,
    out: str | Path,
    *,
    sheet: TrackSheet | None,
    strand_pair: Sequence[int] | None = None,
    source: Mapping[str, Any],
    windows: str | Path | None = None,
    overwrite: bool = False,
) -> Path:
    """Write `model`, whose weights come from elsewhere, as the run folder `out`, whole or not at all; return it.

    Args:
        model: The network with the imported weights in place, built by `build_model`.
        out: The folder.
        sheet: What the tracks are, in the order of the model's outputs. Without it they are `track_1`, `track_2`, ...,
            and evaluation holds no names against a dataset's.
        strand_pair: Of tracks without a sheet; without it each is its own.
        source: What the weights came from, for the card: `format`, `files` (`describe_files`) and settings; plain
            values that JSON knows.
        windows: BED of the windows that the weights were trained on (`sequences.bed` of Basenji's data: targets, or
            whole windows), to be kept beside them: who trains on and tests on some of them is warned.
        overwrite: Replace a run folder that is there.

    Raises:
        FormatError: `windows` is no BED with labels.
        ConfigError: the sheet has another number of tracks than the model.
        OutputExistsError: `out` is there and may not be replaced, or is no run folder.
    """
    out = Path(out)
    check_sheet(sheet, model.spec.tracks)
    refuse_existing(out, overwrite, mark=CARD)
    tracks = sheet or unnamed_tracks(model.spec.tracks, strand_pair)
    about = {
        "source": {**source, "tracks_from": None if sheet is None else str(sheet.path)},
        "model": model.spec.model_dump(mode="json"),
    }
    with whole_folder(out, overwrite=overwrite, mark=CARD) as folder:
        save_model(model, folder)
        if windows is not None:
            keep_windows(folder, Path(windows), model.spec)
        write_settings(folder, about)
        write_card(
            folder,
            state="imported",
            store=None,
            genome=None,
            **describe_tracks(tracks),
            **about,
            training=None,
            transfer=None,
            code={
                "regact": importlib.metadata.version("regact"),
                "torch": torch.__version__,
                "python": platform.python_version(),
            },
        )
    return out


def describe_run(run: str | Path) -> str:
    """One line on the network of a run folder: size, windows, outputs, and what is applied to them."""
    spec = load_spec(run)
    bins = f"{spec.bins:,} bins of {spec.bin_bp} bp ({spec.crop_bins} cropped at each end)"
    return (
        f"{count(spec).parameters:,} parameters; windows of {spec.window_bp:,} bp, {bins}, {spec.tracks:,} tracks; "
        f"{spec.head.link} link, N as {spec.n_value:g}"
    )


def describe_files(paths: Iterable[str | Path]) -> list[dict[str, Any]]:
    """Name, size and sha256 of each file, for a card."""
    return [{"name": path.name, "bytes": path.stat().st_size, "sha256": sha256_of(path)} for path in map(Path, paths)]


def check_sheet(sheet: TrackSheet | None, tracks: int) -> None:
    """Raise ConfigError unless the sheet, where there is one, has as many tracks as the weights."""
    if sheet is not None and len(sheet) != tracks:
        raise ConfigError(sheet.path, [f"{len(sheet):,} tracks; needed {tracks:,}, as many as the weights have"])


def unnamed_tracks(tracks: int, strand_pair: Sequence[int] | None = None) -> TrackSheet:
    """Tracks whose names are not known: `track_1`, `track_2`, ..., each its own strand pair unless these are."""
    pairs = enumerate(range(tracks) if strand_pair is None else strand_pair, start=1)
    return TrackSheet(tuple(Track(f"track_{number}", (), strand_pair=pair) for number, pair in pairs), Path())
