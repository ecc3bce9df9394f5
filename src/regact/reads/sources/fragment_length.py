"""Fragment length of single-end reads: the distance at which 5' ends of the two strands agree best."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64, Int64
from scipy import ndimage, signal

from regact.errors import DataError
from regact.reads.compiled import compiled
from regact.reads.layout import GenomeLayout
from regact.reads.presets import CoverageSettings
from regact.reads.sources.read_places import ReadPlaces
from regact.reads.sources.rows import OWN_LENGTH

LengthSource = Literal["given", "pairs", "cross_correlation", "assumed"]

SMOOTHING_SD_BP = 5.0
# Distances around the read length, where mappability alone makes strands agree (the "phantom peak"), are passed over.
PHANTOM_BP = 10
MIN_ENDS = 1000
# A peak rises by so many standard deviations of chance above the valleys at its sides.
LEAST_RISE = 5.0


@dataclass(frozen=True)
class FragmentLength:
    """What strand cross-correlation says.

    Attributes:
        fragment_bp: The length at which the smoothed curve has its highest peak; None where it has none, as where both
            strands are cut at the same places (DNase, ATAC).
        read_bp: Median length of the reads.
        lengths: Fragment lengths that were tried.
        correlation: Pearson correlation of the two strands' 5' ends at each.
    """

    fragment_bp: int | None
    read_bp: int
    lengths: Int64[np.ndarray, "length"]
    correlation: Float64[np.ndarray, "length"]


@dataclass(frozen=True)
class ChosenLength:
    """The length that is taken for fragments that show one end only.

    Attributes:
        bp: None where nothing depends on it.
        told_by: What it is from: the settings, pairs, the two strands, or nothing but an assumption.
        curve: What the strands say, where they were asked and have reads enough.
    """

    bp: int | None = None
    told_by: LengthSource | None = None
    curve: FragmentLength | None = None


def choose_fragment_bp(
    reads: ReadPlaces, layout: GenomeLayout, settings: CoverageSettings, *, where: object
) -> ChosenLength:
    """The length of fragments that show one end only.

    It is what the settings say, else the median of pairs where there are some, else what the strands say. Where these
    say nothing, 5' ends need it for their GC alone, and `assumed_fragment_bp` will do.

    Raises: DataError where fragments or their centres are counted and nothing tells their length.
    """
    is_counted = settings.count != "five_prime"
    if settings.fragment_bp is not None:
        return ChosenLength(settings.fragment_bp, "given")
    if not (is_counted or settings.gc):
        return ChosenLength()
    pairs = reads.rows["length"][reads.rows["kind"] & OWN_LENGTH != 0]
    if len(pairs):
        return ChosenLength(int(np.median(pairs)), "pairs")
    curve = None
    try:
        curve = estimate_fragment_bp(reads, layout, search_bp=settings.fragment_search_bp, where=where)
    except DataError:  # too few reads
        if is_counted:
            raise
    if curve is not None and curve.fragment_bp is not None:
        return ChosenLength(curve.fragment_bp, "cross_correlation", curve)
    if is_counted:
        low, high = settings.fragment_search_bp
        found = f"the 5' ends of the two strands agree at no distance from {low} to {high} bp more than at others"
        raise DataError(where, found, "a peak there to find the fragment length", "say it with --fragment-bp")
    return ChosenLength(settings.assumed_fragment_bp, "assumed", curve)


def estimate_fragment_bp(
    reads: ReadPlaces, layout: GenomeLayout, *, search_bp: tuple[int, int], where: object = "reads"
) -> FragmentLength:
    """Fragment length from the 5' ends of reads with one place.

    A fragment of length d shows its 5' end at x on the forward strand and at x + d - 1 on the reverse. For each d the
    Pearson correlation over all bases between "a forward read begins at x" and "a reverse read begins at x + d - 1" is
    computed from the positions alone. The curve, smoothed (sd 5 bp) and straight across 10 bp on either side of the
    read's own length, for there even reads from nowhere agree (Landt et al. 2012), is searched for its highest peak.

    Args:
        search_bp: Shortest and longest length to look at.
        where: Names the reads in errors.

    Raises: DataError where either strand has too few reads to tell.
    """
    sizes = np.diff(reads.offsets)
    rows = reads.rows[reads.offsets[:-1][sizes == 1]]
    forward_rows, reverse_rows = rows[rows["strand"] > 0], rows[rows["strand"] < 0]
    forward = _spread(forward_rows["start"], layout, search_bp[1])
    reverse = _spread(reverse_rows["start"] + reverse_rows["length"] - 1, layout, search_bp[1])
    if min(len(forward), len(reverse)) < MIN_ENDS:
        raise DataError(
            where,
            f"{len(forward):,} and {len(reverse):,} different 5' ends on the two strands",
            f"{MIN_ENDS:,} on each to find the fragment length",
            "say it with --fragment-bp",
        )
    read_bp = int(np.median(rows["length"]))
    lengths = np.arange(search_bp[0], search_bp[1] + 1)
    pairs = _count_pairs(forward, reverse, search_bp[0] - 1, len(lengths))
    correlation = _pearson(pairs, len(forward), len(reverse), layout.total_bp)
    return FragmentLength(_highest_peak(pairs, lengths, read_bp), read_bp, lengths, correlation)


def _highest_peak(pairs: Int64[np.ndarray, "length"], lengths: Int64[np.ndarray, "length"], read_bp: int) -> int | None:
    """The length with the most pairs of ends among peaks beyond chance."""
    usual = np.abs(lengths - read_bp) > PHANTOM_BP
    if not usual.any():
        return None
    curve = ndimage.gaussian_filter1d(np.interp(lengths, lengths[usual], pairs[usual]), SMOOTHING_SD_BP, mode="nearest")
    # Counts of pairs are about Poisson; a Gaussian of sd s divides their variance by 2 s sqrt(pi).
    chance = np.sqrt(curve.mean() / (2 * SMOOTHING_SD_BP * np.sqrt(np.pi)))
    peaks, _ = signal.find_peaks(curve, prominence=LEAST_RISE * chance)
    return int(lengths[peaks[np.argmax(curve[peaks])]]) if len(peaks) else None


def _spread(ends: Int64[np.ndarray, "read"], layout: GenomeLayout, apart_bp: int) -> Int64[np.ndarray, "end"]:
    """The different ends, sorted, with the contigs moved apart so that no distance spans two of them.

    Reads of one 5' end count once: a tower of copies says no more than one read.
    """
    different = np.unique(ends)
    return different + layout.contig_of(different) * (apart_bp + 1)


def _pearson(
    pairs: Int64[np.ndarray, "length"], n_forward: int, n_reverse: int, total_bp: int
) -> Float64[np.ndarray, "length"]:
    """Correlation of two 0/1 signals of `total_bp` bases that are both 1 at so many of them."""
    p, q = n_forward / total_bp, n_reverse / total_bp
    return (pairs / total_bp - p * q) / np.sqrt(p * (1 - p) * q * (1 - q))


@compiled
def _count_pairs(
    forward: Int64[np.ndarray, "end"], reverse: Int64[np.ndarray, "end"], shortest: int, n: int
) -> Int64[np.ndarray, "length"]:
    """For each distance from `shortest` on: pairs of a forward end and a reverse end so far to its right."""
    pairs = np.zeros(n, np.int64)
    first = 0
    for x in forward:
        while first < len(reverse) and reverse[first] < x + shortest:
            first += 1
        other = first
        while other < len(reverse) and reverse[other] < x + shortest + n:
            pairs[reverse[other] - x - shortest] += 1
            other += 1
    return pairs
