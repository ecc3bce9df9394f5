"""One region of the genome: which bins of which windows show it, and what was measured and is predicted there."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Float32, Int64
from scipy.stats import rankdata

from regact.dataset import Store
from regact.errors import DataError
from regact.genome import Genome, Interval
from regact.model import SequenceModel, predict_codes
from regact.report.prediction_sample import read_window_codes, spread_rows

WINDOWS_LOOKED_AT = 64
MOST_WINDOWS = 32


@dataclass(frozen=True)
class RegionBins:
    """The bins that show a region.

    Attributes:
        region: What was asked for, or chosen.
        rows: Rows of the window table that hold its bins.
        edges: Limits of the bins in bp, rising; where windows leave a gap, one bin spans it.
        window, bin: For each bin its place in `rows` and in that window's target; -1 for a gap.
        splits: The splits that its windows belong to.
    """

    region: Interval
    rows: Int64[np.ndarray, "row"]
    edges: Int64[np.ndarray, "bin+1"]
    window: Int64[np.ndarray, "bin"]
    bin: Int64[np.ndarray, "bin"]
    splits: tuple[str, ...]

    @property
    def covered(self) -> float:
        """Share of the region's bases that lie in a bin."""
        widths = np.diff(self.edges)
        return min(1.0, float(widths[self.window >= 0].sum() / self.region.length))

    def measured(self, store: Store) -> Float32[np.ndarray, "track bin"]:
        """Return the stored values; NaN in gaps."""
        return self._gather(store.read(self.rows)[0].astype(np.float32).transpose(0, 2, 1))

    def predicted(self, model: SequenceModel, store: Store, genome: Genome) -> Float32[np.ndarray, "track bin"]:
        """Return what a model expects; NaN in gaps."""
        codes = np.concatenate([read_window_codes(store, genome, int(row)) for row in self.rows])
        return self._gather(predict_codes(model, codes).numpy())

    def _gather(self, values: Float32[np.ndarray, "row track bin"]) -> Float32[np.ndarray, "track bin"]:
        gathered = values[self.window, :, self.bin].T
        gathered[:, self.window < 0] = np.nan
        return gathered


def choose_region(store: Store, split: str) -> Interval:
    """Return the target of the window of `split` whose signal rises and falls most, in the middle of all tracks.

    Each of up to 64 windows spread over the split has a rank in every track, by the standard deviation of
    log(1 + count) over unmasked bins; the highest mean rank is taken, so that no single track or artefact decides.
    Predictions are not looked at.
    """
    rows = spread_rows(store, split, WINDOWS_LOOKED_AT)
    spread = np.stack([_spread_of_tracks(store, int(row)) for row in rows])  # (window, track)
    row = int(rows[rankdata(spread, axis=0).mean(axis=1).argmax()])
    window = store.windows.iloc[row]
    crop_bp = store.crop_bins * store.bin_bp
    return Interval(window["chrom"], int(window["start"]) + crop_bp, int(window["end"]) - crop_bp)


def _spread_of_tracks(store: Store, row: int) -> Float[np.ndarray, "track"]:
    targets, mask = store.read([row])
    kept = np.log1p(np.maximum(targets[0][mask[0]].astype(np.float32), 0))
    return kept.std(axis=0) if len(kept) else np.full(store.n_tracks, -1.0)


def find_bins(store: Store, region: Interval) -> RegionBins:
    """Return the bins of the store's windows, of whatever split, that show `region`.

    Where windows overlap, a bin is shown as the window sees it whose middle is nearer.

    Raises: DataError where no window lies there, or too many do.
    """
    targets = _targets_in(store, region)
    starts, ends = targets["start"].to_numpy(), targets["end"].to_numpy()
    # Each target speaks for the region from the middle of its overlap with the one before to that with the next.
    limits = (starts[1:] + ends[:-1]) / 2
    lower, upper = np.append(-np.inf, limits), np.append(limits, np.inf)
    window, place = (axis.ravel() for axis in np.indices((len(starts), store.n_bins)))
    first = starts[window] + place * store.bin_bp
    middle = first + store.bin_bp / 2
    inside = (first < region.end) & (first + store.bin_bp > region.start)
    chosen = np.flatnonzero(inside & (lower[window] <= middle) & (middle < upper[window]))
    # Where the bins of two windows do not begin alike, the later's first may begin within the earlier's last.
    chosen = chosen[np.append(True, np.diff(first[chosen]) >= store.bin_bp)]
    gaps = np.flatnonzero(np.diff(first[chosen]) > store.bin_bp) + 1
    return RegionBins(
        region,
        targets.index.to_numpy(),
        np.unique([first[chosen], first[chosen] + store.bin_bp]),
        np.insert(window[chosen], gaps, -1),
        np.insert(place[chosen], gaps, -1),
        tuple(dict.fromkeys(targets["split"])),
    )


def _targets_in(store: Store, region: Interval) -> pd.DataFrame:
    """Return start, end and split of the targets that overlap the region, by start; the index is the store's row."""
    crop_bp = store.crop_bins * store.bin_bp
    windows = store.windows[store.windows["chrom"] == region.chrom]
    targets = windows.assign(start=windows["start"] + crop_bp, end=windows["end"] - crop_bp)
    found = targets[(targets["start"] < region.end) & (targets["end"] > region.start)].sort_values("start")
    if not len(found):
        raise DataError(
            f"region {region}", f"no window of {store.path.name} has bins there", _nearest(store, targets, region)
        )
    if len(found) > MOST_WINDOWS:
        raise DataError(
            f"region {region}",
            f"{len(found):,} windows lie there",
            f"{MOST_WINDOWS} at most",
            "choose a shorter one",
        )
    return found


def _nearest(store: Store, targets: pd.DataFrame, region: Interval) -> str:
    if not len(targets):
        return f"a region on one of {', '.join(dict.fromkeys(store.windows['chrom']))}"
    distance = np.maximum(targets["start"].to_numpy() - region.end, region.start - targets["end"].to_numpy())
    near = targets.iloc[int(distance.argmin())]
    return f"a region with windows; the nearest is {Interval(region.chrom, int(near['start']), int(near['end']))}"
