"""How well a model tells the cell types of an assay apart, where they are active at all.

Most bins that are active in one cell type are active in all, so that a model which predicts the average cell type for
every track has a high Pearson correlation per track. Here the average is taken away before correlating.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64

from regact.engine import progress
from regact.evaluation.measure_result import MeasureResult, name_missing, track_table
from regact.evaluation.split_predictions import SplitPredictions
from regact.tracks import TrackSheet, track_strands

TOP_SHARE = 0.1  # of the bins, those with the most measured signal
_WHY = "without variance in this split, or the only such track"
_ROUNDING = 1e-20  # a sum of squares below this share of what it is a difference of is rounding


@dataclass(frozen=True)
class TrackGroup:
    """The tracks of one assay and strand: they measure the same thing in several cell types."""

    assay: str
    strand: str
    tracks: tuple[int, ...]


@dataclass(frozen=True)
class Residuals:
    """Sums over chosen bins of what is left of log values when track and bin means are taken away; one entry a track.

    Attributes:
        bins: How many bins were chosen.
        pp, yy, py: Sums of squares of the predicted and of the measured residuals, and of their products.
        spread_p, spread_y: Sums of squares about the track's mean alone, bin means left in.
    """

    bins: int
    pp: Float64[np.ndarray, "track"]
    yy: Float64[np.ndarray, "track"]
    py: Float64[np.ndarray, "track"]
    spread_p: Float64[np.ndarray, "track"]
    spread_y: Float64[np.ndarray, "track"]

    def per_track(self) -> Float64[np.ndarray, "track"]:
        """Pearson of the residuals of each track."""
        columns = zip(self.pp, self.yy, self.py, self.spread_p, self.spread_y, strict=True)
        return np.array([_pearson(*(float(value) for value in sums)) for sums in columns])

    def pooled(self) -> float:
        """Pearson of the residuals of all tracks and bins together."""
        sums = (self.pp, self.yy, self.py, self.spread_p, self.spread_y)
        return _pearson(*(float(value.sum()) for value in sums))

    def share(self) -> float:
        """How much of the measured variation over these bins, track means apart, is specific to tracks."""
        spread = float(self.spread_y.sum())
        return float(self.yy.sum()) / spread if spread > 0 else math.nan


def track_groups(sheet: TrackSheet) -> list[TrackGroup]:
    """The tracks by assay and strand, in the sheet's order.

    Raises: ConfigError as `track_strands`.
    """
    groups: dict[tuple[str, str], list[int]] = {}
    for row, key in enumerate(zip(sheet.assays, track_strands(sheet), strict=True)):
        groups.setdefault(key, []).append(row)
    return [TrackGroup(assay, strand, tuple(rows)) for (assay, strand), rows in groups.items()]


def group_residuals(predictions: SplitPredictions, tracks: Sequence[int]) -> Residuals:
    """Residuals of some tracks over the bins where they have the most signal; two passes, one track in memory.

    Bins: the tenth with the highest mean over the tracks of log(1 + y), those without any signal left out. With
    v = log(1 + value) there: residual = v - mean of the track - mean of the bin + mean of all.
    """
    sum_y = np.zeros(predictions.n_bins)
    sum_p = np.zeros(predictions.n_bins)
    for p, y in _logs(predictions, tracks):
        sum_p += p
        sum_y += y
    chosen = brightest_bins(sum_y)
    bin_p, bin_y = sum_p[chosen] / len(tracks), sum_y[chosen] / len(tracks)
    rows = []
    for p, y in _logs(predictions, tracks):
        from_p, from_y = _centred(p[chosen]), _centred(y[chosen])
        left_p, left_y = from_p - _centred(bin_p), from_y - _centred(bin_y)
        pairs = ((left_p, left_p), (left_y, left_y), (left_p, left_y), (from_p, from_p), (from_y, from_y))
        rows.append([float(a @ b) for a, b in pairs])
    return Residuals(len(chosen), *np.array(rows).T)


def brightest_bins(signal: Float64[np.ndarray, "bin"]) -> Int64[np.ndarray, "chosen"]:
    """The tenth of the bins with the most signal, in order; of equal ones the first; none without signal."""
    most = np.sort(np.argsort(-signal, kind="stable")[: math.ceil(TOP_SHARE * len(signal))])
    return most[signal[most] > 0]


def measure_specificity(predictions: SplitPredictions) -> MeasureResult:
    """Specificity per track, and per assay and strand, over the bins of the split with the most signal.

    Raises: ConfigError where the strands of a strand pair are not told.
    """
    sheet, split = predictions.store.sheet, predictions.split
    per_track = np.full(len(sheet), np.nan)
    rows, remarks = [], []
    by_assay: dict[str, list[Residuals]] = {}
    for group in track_groups(sheet):
        varying = [track for track in group.tracks if np.ptp(predictions.measured(track)) > 0]
        name = group.assay if group.strand == "." else f"{group.assay} {group.strand}"
        if len(varying) < 2:
            remarks.append(f"no specificity of {name}: {len(varying)} tracks that vary, two are needed to compare")
            continue
        residuals = group_residuals(predictions, varying)
        per_track[varying] = residuals.per_track()
        by_assay.setdefault(group.assay, []).append(residuals)
        rows.append({
            "split": split, "assay": group.assay, "strand": group.strand, "tracks": len(varying),
            "bins": residuals.bins, "specificity": residuals.pooled(), "specific_share": residuals.share(),
        })  # fmt: skip
    tracks = track_table(sheet, split, {"specificity": per_track})
    columns = ["split", "assay", "strand", "tracks", "bins", "specificity", "specific_share"]
    tables = {"specificity": tracks, "specificity_groups": pd.DataFrame(rows, columns=columns)}
    remarks += name_missing(tracks[tracks["assay"].isin(list(by_assay))], "specificity", _WHY)
    return MeasureResult("specificity", tables, _summary(sheet, by_assay), tuple(remarks))


def _summary(sheet: TrackSheet, by_assay: Mapping[str, Sequence[Residuals]]) -> pd.DataFrame:
    """Both strands of an assay pooled, NaN for one without groups; over all assays the mean."""
    rows = []
    for assay in dict.fromkeys(sheet.assays):
        pooled = _joined(by_assay.get(assay, ()))
        rows.append({"assay": assay, "specificity": pooled.pooled(), "specific_share": pooled.share()})
    table = pd.DataFrame(rows)
    means = table[["specificity", "specific_share"]].mean()
    return pd.concat([table, pd.DataFrame([{"assay": "all", **means}])], ignore_index=True)


def _joined(parts: Sequence[Residuals]) -> Residuals:
    names = ("pp", "yy", "py", "spread_p", "spread_y")
    sums = (np.concatenate([np.empty(0), *(getattr(part, name) for part in parts)]) for name in names)
    return Residuals(sum(part.bins for part in parts), *sums)


def _logs(
    predictions: SplitPredictions, tracks: Sequence[int]
) -> Iterator[tuple[Float64[np.ndarray, "bin"], Float64[np.ndarray, "bin"]]]:
    """log(1 + value) of each track, predicted and measured."""
    with progress("specificity", len(tracks), unit="tracks") as bar:
        for track in tracks:
            values = predictions.predicted(track), predictions.measured(track)
            predicted, measured = (np.log1p(value.astype(np.float64)) for value in values)
            yield predicted, measured
            bar.advance()


def _centred(values: Float64[np.ndarray, "bin"]) -> Float64[np.ndarray, "bin"]:
    return values - values.mean() if len(values) else values


def _pearson(pp: float, yy: float, py: float, spread_p: float, spread_y: float) -> float:
    """NaN where the measured residuals vanish, 0 where only the predicted ones do."""
    if yy <= _ROUNDING * spread_y:
        return math.nan
    return 0.0 if pp <= _ROUNDING * spread_p else py / math.sqrt(pp * yy)
