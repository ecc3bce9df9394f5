"""A track's stored values on an interval: coverage of its files, cleaned, pooled in bins and transformed."""

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce

import numpy as np
from jaxtyping import Float32, Float64

from regact.errors import DataError
from regact.genome import ContigAlias, Interval, Regions
from regact.tracks.open_signal import open_signal
from regact.tracks.sheet import Track
from regact.tracks.signals import Signal, count_bins
from regact.tracks.transform import FLOAT16_MAX, TrackTransform

MIN_BINS_FOR_BASELINE = 8


def open_signals(
    track: Track, genome_lengths: Mapping[str, int], alias: ContigAlias | None = None
) -> tuple[tuple[Signal, ...], tuple[dict[str, str], ...]]:
    """The track's files as signals, and for each the genome's contig names mapped to the file's.

    Raises: FormatError for a file that cannot be read; ContigError for one that does not fit the genome.
    """
    signals = tuple(open_signal(file) for file in track.files)
    return signals, tuple(signal.contig_names(genome_lengths, alias) for signal in signals)


def track_transform(track: Track, bin_bp: int, depth_factor: float = 1.0) -> TrackTransform:
    """The transform that the track's row of the sheet asks for."""
    return TrackTransform(
        sum_stat=track.sum_stat,
        bin_bp=bin_bp,
        scale=track.scale,
        depth_factor=depth_factor,
        clip_soft=track.clip_soft,
        clip=track.clip,
    )


def read_binned(
    track: Track,
    signals: Sequence[Signal],
    interval: Interval,
    bin_bp: int,
    transform: TrackTransform,
    blacklist: Regions | None,
    contig_names: Sequence[Mapping[str, str]],
) -> Float32[np.ndarray, "bin"]:
    """The stored values of the track's bins in `interval`, in the order that `transform.TRANSFORM_VERSION` names.

    Sums come straight from the files. Base by base is read only where the interval touches the blacklist, and where
    a maximum is asked for that is not the file's own (several replicates, or a negative factor).

    Args:
        track: Named in errors.
        signals: The track's files; their coverage is summed. A file that lacks the contig adds 0.
        interval: A whole number of bins; what lies beyond the contig's ends counts as 0.
        bin_bp: Bases a bin.
        transform: What `track_transform` made of the track.
        blacklist: Bases to clip to plus or minus the interval's baseline: the median of its base values (no data = 0),
            or 0 in an interval of fewer than 8 bins, where a median says little.
        contig_names: For each signal, the file's name of a contig of the genome, as `open_signals` gives it.

    Raises: DataError naming track and place of a negative value (a count cannot be), an infinite one, or one above
        65,504, which would be infinite in the store; FormatError if a file cannot be read.
    """
    bins = count_bins(interval.start, interval.end, bin_bp)
    present = [
        (s, names[interval.chrom]) for s, names in zip(signals, contig_names, strict=True) if interval.chrom in names
    ]
    if blacklist is not None and blacklist.overlaps(interval):
        bases = _clip_blacklisted(_base_coverage(present, interval), blacklist.covered(interval), bins)
        pooled = _pool(bases, bins, transform)
    elif transform.pools_maximum and (len(present) > 1 or transform.factor < 0):
        pooled = _pool(_base_coverage(present, interval), bins, transform)
    else:
        place = interval.start, interval.end, bin_bp
        read = [s.bin_max(c, *place) if transform.pools_maximum else s.bin_sums(c, *place) for s, c in present]
        pooled = reduce(np.add, read) if read else np.zeros(bins)
    _refuse_negative(track, pooled, transform.factor, interval, bin_bp)
    values = transform.forward(pooled)
    _refuse_overflow(track, values, interval, bin_bp)
    return values.astype(np.float32)


def track_total(
    track: Track,
    signals: Sequence[Signal],
    contig_names: Sequence[Mapping[str, str]],
    intervals: Iterable[Interval],
) -> float:
    """The track's scaled coverage, summed over the bases of `intervals`: the total for `depth_factors`."""
    intervals = list(intervals)
    total = 0.0
    for signal, names in zip(signals, contig_names, strict=True):
        for interval in intervals:
            if interval.chrom in names and interval.length:
                chrom = names[interval.chrom]
                total += float(signal.bin_sums(chrom, interval.start, interval.end, interval.length)[0])
    return total * track.scale


def _base_coverage(present: Sequence[tuple[Signal, str]], interval: Interval) -> Float64[np.ndarray, "base"]:
    bases = np.zeros(interval.length)
    for signal, chrom in present:
        bases += np.nan_to_num(signal.base_values(chrom, interval.start, interval.end), nan=0.0)
    return bases


def _clip_blacklisted(
    bases: Float64[np.ndarray, "base"], blacklisted: np.ndarray, bins: int
) -> Float64[np.ndarray, "base"]:
    # Clipped, not set: a base below the baseline keeps its value (Basenji does the same).
    baseline = abs(float(np.median(bases))) if bins >= MIN_BINS_FOR_BASELINE else 0.0
    return np.where(blacklisted, np.clip(bases, -baseline, baseline), bases)


def _pool(bases: Float64[np.ndarray, "base"], bins: int, transform: TrackTransform) -> Float64[np.ndarray, "bin"]:
    rows = bases.reshape(bins, -1)
    if not transform.pools_maximum:
        return rows.sum(axis=1)
    # The greatest scaled value is the least raw one where the factor is negative.
    return rows.max(axis=1) if transform.factor > 0 else rows.min(axis=1)


def _refuse_negative(
    track: Track, pooled: Float64[np.ndarray, "bin"], factor: float, interval: Interval, bin_bp: int
) -> None:
    lowest = (pooled.min() if factor > 0 else pooled.max()) * factor
    if lowest < 0:
        raise DataError(
            _place(track, interval, int(np.argmin(pooled * factor)), bin_bp),
            f"a bin's value is {lowest:g}",
            "values >= 0, as counts are",
            "clip negative coverage to 0 in the file, or give a minus-strand file of negative values a negative scale",
        )


def _refuse_overflow(track: Track, values: Float64[np.ndarray, "bin"], interval: Interval, bin_bp: int) -> None:
    highest = values.max()
    if highest > FLOAT16_MAX:
        raise DataError(
            _place(track, interval, int(np.argmax(values)), bin_bp),
            f"a bin's value is {highest:g}, which would be infinite in the store",
            f"values up to {FLOAT16_MAX:,.0f} (float16)",
            "set clip or clip_soft, or a smaller scale, in the track sheet",
        )


def _place(track: Track, interval: Interval, row: int, bin_bp: int) -> str:
    start = interval.start + row * bin_bp
    return f"track {track.identifier}, {Interval(interval.chrom, start, start + bin_bp)}"
