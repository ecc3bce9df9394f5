"""One region, measured and predicted by every run."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from regact.dataset import Store
from regact.genome import Genome, Interval
from regact.model import predict_codes
from regact.plot import TrackPanel
from regact.report.run_record import RunRecord

MOST_TRACKS = 6
WINDOWS_LOOKED_AT = 64


@dataclass(frozen=True)
class RegionView:
    """The target region of one window of a split, with a panel a track."""

    region: Interval
    panels: list[TrackPanel]


def view_region(runs: Sequence[RunRecord], store: Store, genome: Genome, split: str) -> RegionView:
    """Return the window of `split` with the most signal, measured and predicted.

    The choice looks at measured values alone: the mean of log(1 + count) over tracks, in up to 64 windows spread over
    the split. Tracks are taken from each assay in turn, in the sheet's order.
    """
    row = _window_with_most_signal(store, split)
    window = store.windows.iloc[row]
    codes = genome.fetch(Interval(window["chrom"], int(window["start"]), int(window["end"])))
    measured = store.read([row])[0][0].astype(np.float32)  # (bin, track)
    predicted = {run.label: predict_codes(run.model, codes[None])[0].numpy() for run in runs}  # (track, bin) each
    crop_bp = store.crop_bins * store.bin_bp
    panels = [
        TrackPanel(_title(store, track), measured[:, track], {label: p[track] for label, p in predicted.items()})
        for track in _tracks_in_turn(store.sheet.assays, MOST_TRACKS)
    ]
    region = Interval(window["chrom"], int(window["start"]) + crop_bp, int(window["end"]) - crop_bp)
    return RegionView(region, panels)


def _window_with_most_signal(store: Store, split: str) -> int:
    rows = store.rows(split)
    spread = rows[np.unique(np.linspace(0, len(rows) - 1, WINDOWS_LOOKED_AT).round().astype(int))]
    return int(max(spread, key=lambda row: _signal(*store.read([int(row)]))))


def _signal(targets: Float[np.ndarray, "1 bin track"], mask: np.ndarray) -> float:
    kept = targets[mask].astype(np.float32)
    return float(np.log1p(np.maximum(kept, 0)).mean()) if len(kept) else -1.0


def _title(store: Store, track: int) -> str:
    record = store.sheet.tracks[track]
    text = record.description.partition(":")[2].strip()
    return f"{record.identifier}: {text}" if text else record.identifier


def _tracks_in_turn(assays: Sequence[str], most: int) -> list[int]:
    """Return up to `most` tracks in the sheet's order: the first of every assay, then the second of every assay, ..."""
    ranks: dict[str, int] = {}
    turns = []
    for track, assay in enumerate(assays):
        turns.append((ranks.setdefault(assay, 0), track))
        ranks[assay] += 1
    return sorted(track for _, track in sorted(turns)[:most])
