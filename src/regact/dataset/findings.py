"""What of an audit's numbers a person should look at, and what to do about each kind."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float64

from regact.dataset.store import Store
from regact.dataset.value_counts import TrackValues
from regact.genome import Interval

# kind -> (must it be mended before training, what it means and what to do)
KINDS = {
    "shared bases": (True, "The split is no test: windows of two splits read the same bases. Build again."),
    "not finite": (True, "inf or NaN in the store spoils loss and metrics. Mend the track's file and build again."),
    "negative": (True, "Counts cannot be negative; the log-Poisson loss has no sense there. Use raw coverage."),
    "silent": (False, "0 everywhere in a split: nothing to learn or judge there. A wrong file? Else drop the track."),
    "constant": (False, "One value everywhere: correlation is not defined. Drop the track."),
    "outlier": (False, "Few bins rule the loss and Pearson's r. Look at the place; blacklist it, or set a clip."),
    "clipped": (False, "Much of the signal is cut off at the hard clip. Raise clip, or use clip_soft."),
    "scale": (False, "It weighs otherwise in the loss than its fellows. Check the file; set scale or depth scaling."),
    "split differs": (False, "Its level is another in this split: an unlike chromosome, or a region to blacklist."),
    "strands differ": (False, "The strands of a pair have unequal totals. Check strand_pair, and the files' scale."),
    "duplicate": (False, "Two tracks hold the same values. Check the sheet's file column; drop one."),
    "silent windows": (False, "No track has signal there: unmappable or missing sequence. Mask or exclude it."),
    "masked": (False, "Much of this split does not count. Check the blacklist and the unmappable regions."),
    "overlapping windows": (False, "Bins are judged more than once. Set the split's stride to the target's length."),
    "similar sequence": (False, "Most of this window occurs in training: a repeat or duplication. Mind its score."),
}


@dataclass(frozen=True)
class AuditLimits:
    """From where on a number is a finding.

    Attributes:
        outlier_factor: Maximum against the 99.9 % quantile of values that are not 0.
        clipped_fraction: Share of bins at the hard clip.
        scale_factor: A track's mean against the median of its assay, where that has four tracks or more.
        split_factor: A track's mean in a split against that in training.
        strand_factor: Totals of a strand pair against each other.
        silent_fraction: Share of a split's windows in which no track has signal.
        masked_fraction: Share of a split's bins that do not count.
        shared_kmers: Share of a window's k-mers that occur in training.
    """

    outlier_factor: float = 20.0
    clipped_fraction: float = 0.005
    scale_factor: float = 10.0
    split_factor: float = 3.0
    strand_factor: float = 1.5
    silent_fraction: float = 0.02
    masked_fraction: float = 0.2
    shared_kmers: float = 0.5


@dataclass(frozen=True)
class Finding:
    """One thing to look at: what kind (of `KINDS`), in which split ("" for all), where, and what was found."""

    kind: str
    split: str
    where: str
    found: str

    @property
    def must_be_mended(self) -> bool:
        """Whether training on the store makes no sense before this is mended."""
        return KINDS[self.kind][0]

    @property
    def advice(self) -> str:
        """What it means and what to do."""
        return KINDS[self.kind][1]


def find_problems(
    store: Store,
    values: Mapping[str, TrackValues],
    splits: pd.DataFrame,
    shared: pd.DataFrame,
    similarity: pd.DataFrame,
    limits: AuditLimits,
) -> tuple[Finding, ...]:
    """All findings, in the order of `KINDS`; arguments as in `Audit`."""
    found = [
        *_of_splits(splits, shared, limits),
        *(finding for split, one in values.items() for finding in _of_values(store, split, one, limits)),
        *(_between_tracks(store, values["train"], limits) if "train" in values else ()),
        *(_between_splits(store, values, limits) if "train" in values else ()),
        *_of_windows(similarity, limits),
    ]
    order = list(KINDS)
    return tuple(sorted(found, key=lambda finding: order.index(finding.kind)))


def bin_place(store: Store, row: int, target_bin: int) -> str:
    """Region string of one bin of a window."""
    window = store.windows.iloc[row]
    start = int(window["start"]) + (store.crop_bins + target_bin) * store.bin_bp
    return str(Interval(str(window["chrom"]), start, start + store.bin_bp))


def _of_splits(splits: pd.DataFrame, shared: pd.DataFrame, limits: AuditLimits) -> Iterator[Finding]:
    for pair in shared.to_dict("records"):
        if pair["shared_shifted_bp"]:
            text = f"{pair['shared_bp']:,} bp shared; {pair['shared_shifted_bp']:,} bp where windows are shifted"
            yield Finding("shared bases", "", f"{pair['split']} and {pair['other']}", text)
    for split in splits.to_dict("records"):
        name = split["split"]
        where = f"split {name}"
        if split["masked"] > limits.masked_fraction:
            yield Finding("masked", name, where, f"{split['masked']:.1%} of {split['bins']:,} bins are masked")
        if split["silent_windows"] > limits.silent_fraction * split["windows"]:
            text = f"{split['silent_windows']:,} of {split['windows']:,} windows"
            yield Finding("silent windows", name, where, text)
        if name != "train" and split["judged_twice_bp"]:
            text = f"{split['judged_twice_bp']:,} bp of targets lie in more than one window"
            yield Finding("overlapping windows", name, where, text)


def _of_values(store: Store, split: str, values: TrackValues, limits: AuditLimits) -> Iterator[Finding]:
    """What one split alone shows of each track."""
    high, mean = values.quantile(0.999, nonzero=True), values.mean
    for track, name in enumerate(store.sheet.identifiers):
        top = values.maximum[track]
        if values.non_finite[track]:
            yield Finding("not finite", split, name, f"{values.non_finite[track]:,} values")
        if values.minimum[track] < 0:
            yield Finding("negative", split, name, f"minimum {values.minimum[track]:.4g}")
        if not values.nonzero[track]:
            yield Finding("silent", split, name, f"0 in all {values.n_bins:,} bins")
        elif values.minimum[track] == top:
            yield Finding("constant", split, name, f"{top:.4g} in all {values.n_bins:,} bins")
        elif top > limits.outlier_factor * high[track]:
            place = bin_place(store, values.max_row[track], values.max_bin[track])
            text = f"{top:.4g} at {place}, 99.9 % of values that are not 0 are below {high[track]:.3g}"
            yield Finding("outlier", split, name, f"{text}, the mean is {mean[track]:.3g}")
        if values.clipped[track] > limits.clipped_fraction * values.n_bins:
            share = values.clipped[track] / values.n_bins
            yield Finding("clipped", split, name, f"{share:.2%} of bins at clip {store.sheet.tracks[track].clip:g}")


def _between_tracks(store: Store, values: TrackValues, limits: AuditLimits) -> Iterator[Finding]:
    """What training shows when tracks are held against each other."""
    names, mean = store.sheet.identifiers, values.mean
    assays = pd.Series(store.sheet.assays)
    for assay, numbers in assays.groupby(assays).groups.items():
        usual = float(np.median(mean[numbers])) if len(numbers) >= 4 else 0.0
        for track in numbers if usual > 0 else ():
            if not _within(mean[track], usual, limits.scale_factor):
                text = f"mean {mean[track]:.3g}, median of {len(numbers)} {assay} tracks {usual:.3g}"
                yield Finding("scale", "train", names[track], text)
    for track, pair in enumerate(store.sheet.strand_pair.tolist()):
        if track < pair and not _within(values.total[track], values.total[pair], limits.strand_factor):
            text = f"totals {values.total[track]:.4g} and {values.total[pair]:.4g}"
            yield Finding("strands differ", "train", f"{names[track]} and {names[pair]}", text)
    first: dict[tuple[object, ...], str] = {}
    for track, name in enumerate(names):
        if values.nonzero[track]:
            content = (values.total[track], values.squares[track], values.counts[track].tobytes())
            if (same := first.setdefault(content, name)) != name:
                yield Finding("duplicate", "train", name, f"the same sums and histogram as {same}")


def _between_splits(store: Store, values: Mapping[str, TrackValues], limits: AuditLimits) -> Iterator[Finding]:
    train = values["train"].mean
    for split, other in values.items():
        mean = other.mean
        for track, name in enumerate(store.sheet.identifiers):
            both = values["train"].nonzero[track] and other.nonzero[track]
            if split != "train" and both and not _within(mean[track], train[track], limits.split_factor):
                text = f"mean {mean[track]:.3g}, in training {train[track]:.3g}"
                yield Finding("split differs", split, name, text)


def _of_windows(similarity: pd.DataFrame, limits: AuditLimits) -> Iterator[Finding]:
    alike = similarity[similarity["shared"] >= limits.shared_kmers].sort_values("shared", ascending=False)
    for window in alike.to_dict("records"):
        place = Interval(window["chrom"], window["start"], window["end"])
        share, near = window["shared"], window["nearest_shared"]
        text = f"{share:.0%} of its k-mers are in training, {near:.0%} in {window['nearest']}"
        yield Finding("similar sequence", window["split"], str(place), text)


def _within(one: float | Float64[np.ndarray, ""], other: float | Float64[np.ndarray, ""], factor: float) -> bool:
    return bool(one <= factor * other and other <= factor * one)
