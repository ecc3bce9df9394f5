"""GC bias: fragments rich or poor in G and C are amplified and sequenced less well; what that does to coverage, undone.

The rate of fragments is taken as a function of the share of G and C over a fragment's own bases, as Benjamini and Speed
(2012, doi:10.1093/nar/gks001) found it to be. In windows that can be trusted, fragments of each GC share are counted
and divided by how many there might have been: one at each base, of lengths as they occur. A smooth curve through these
rates is what coverage owes to GC, and every fragment counts for the mean rate over its own.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, Int64, UInt8
from scipy.stats import poisson

from regact.genome import Genome
from regact.reads.alignments import SHARES_IN_ONE, Alignments
from regact.reads.gc_bias.curve import fit_log_rate
from regact.reads.gc_bias.windows import (
    GC_BINS,
    NO_BIN,
    STRIDE_BP,
    choose_windows,
    fragment_centres,
    gc_bins,
    possible_gc,
)
from regact.reads.layout import GenomeLayout

# Beyond the share of all but so many bases, to either side, the curve is constant: nothing holds it there.
TAIL = 0.001
MAX_FACTOR = 10.0
# A window is a peak where it has so many times the mean, GC taken into account, beyond chance.
PEAK_RATIO = 2.0
PEAK_CHANCE = 1e-4
MAX_ROUNDS = 10


@dataclass(frozen=True, eq=False)
class GcModel:
    """How the rate of fragments depends on their GC.

    Attributes:
        gc: Middles of equal bins of the share of G and C, 0 to 1.
        bases: Bases at which a fragment of this GC might have been, in the windows of the fit.
        reads: Fragments found there.
        curve: The fitted rate, the mean rate over the windows being 1; constant outside `low` to `high`.
        low, high: The range of GC that all but a few bases of the windows have.
        n_windows: Windows that the fit rests on.
        left_out: Windows left out, by reason: `with_n`, `multimapped`, `peaks`.
    """

    gc: Float64[np.ndarray, " bin"]
    bases: Int64[np.ndarray, " bin"]
    reads: Float64[np.ndarray, " bin"]
    curve: Float64[np.ndarray, " bin"]
    low: float
    high: float
    n_windows: int
    left_out: dict[str, int]

    @property
    def rate(self) -> Float64[np.ndarray, " bin"]:
        """Fragments a base, the mean over the windows being 1; NaN where no base has this GC."""
        mean = self.reads.sum() / self.bases.sum()
        return np.divide(self.reads, self.bases * mean, out=np.full(len(self.gc), np.nan), where=self.bases > 0)

    def factor(self, gc: Float[np.ndarray, " fragment"]) -> Float64[np.ndarray, " fragment"]:
        """What a fragment of this GC counts for: the mean rate over its own, within MAX_FACTOR; 1 for NaN."""
        log_factor = np.interp(np.nan_to_num(gc, nan=0.5), self.gc, -np.log(self.curve))
        return np.where(np.isnan(gc), 1.0, np.clip(np.exp(log_factor), 1 / MAX_FACTOR, MAX_FACTOR))

    def factors(
        self, gc: Float32[np.ndarray, " alignment"], weight: Float32[np.ndarray, " alignment"]
    ) -> Float32[np.ndarray, " alignment"]:
        """What to multiply the alignments' weights with; the sum of all weights stays as it is.

        Args:
            gc: Of each alignment's fragment, as `fragment_gc` gives it.
            weight: Share of its read that each alignment has.
        """
        factor = self.factor(gc)
        total, corrected = _in_units(weight).sum(), _in_units(weight * factor).sum()
        return (factor * (total / corrected if corrected else 1.0)).astype(np.float32)


def fit_gc(
    genome: Genome,
    layout: GenomeLayout,
    alignments: Alignments,
    gc: Float32[np.ndarray, " alignment"],
    weight: Float32[np.ndarray, " alignment"],
) -> GcModel:
    """The rate of fragments against their GC, from windows without N, many multi-mapped bases, or peaks.

    Peaks have more fragments for a reason of biology, and may be rich in GC (promoters are): a window is one where its
    corrected fragments are over PEAK_RATIO times the mean, and its fragments so many by chance with a probability below
    PEAK_CHANCE. Corrected ones, for of two peaks of one height that on the GC kept best has more fragments: left out
    by plain counts, it would take its GC's rate down. The curve is fitted without peaks, over and over until the same
    windows are. It starts from a flat one at the median window: a curve through all windows would follow the peaks
    where most windows of a GC are such.

    Args:
        gc: Of each alignment's fragment, as `fragment_gc` gives it.
        weight: Share of its read that each alignment has.

    Raises: DataError where the genome has too few such windows, or none of them any read.
    """
    windows = choose_windows(genome, layout, alignments)
    possible = possible_gc(genome, layout, windows, alignments)
    number = windows.find(fragment_centres(alignments))
    found = gc_bins(gc)
    counts = (number >= 0) & (found != NO_BIN)
    number, found, share = number[counts], found[counts], _in_units(weight[counts]) / SHARES_IN_ONE
    reads = np.bincount(number, weights=share, minlength=len(windows.starts))
    middles = (np.arange(GC_BINS) + 0.5) / GC_BINS
    low, high = _range(_histogram(possible))
    places = STRIDE_BP * (possible != NO_BIN).sum(axis=1)
    flat = max(1.0, np.median(reads))
    is_peak = _are_peaks(reads, reads / flat, np.full(len(reads), flat))
    for _ in range(MAX_ROUNDS):
        bases = STRIDE_BP * _histogram(possible[~is_peak])
        of_bins = np.bincount(found, weights=share * ~is_peak[number], minlength=GC_BINS)
        curve = np.exp(fit_log_rate(middles, bases, of_bins, low=low, high=high))
        rate_of_bin = np.append(curve, np.zeros(NO_BIN + 1 - GC_BINS)).astype(np.float32)
        expected = STRIDE_BP * rate_of_bin[possible].sum(axis=1)
        corrected = np.bincount(number, weights=_in_units(share / curve[found]), minlength=len(reads)) / SHARES_IN_ONE
        was_peak, is_peak = is_peak, _are_peaks(reads, corrected / np.maximum(places, 1), expected)
        if (is_peak == was_peak).all():
            break
    left_out = {"with_n": windows.with_n, "multimapped": windows.multimapped, "peaks": int(was_peak.sum())}
    mean = of_bins.sum() / bases.sum()
    return GcModel(middles, bases, of_bins, curve / mean, low, high, int((~was_peak).sum()), left_out)


def _are_peaks(
    reads: Float64[np.ndarray, " window"],
    height: Float64[np.ndarray, " window"],
    expected: Float64[np.ndarray, " window"],
) -> Bool[np.ndarray, " window"]:
    """Windows that are high, their GC taken into account, and not by chance."""
    are_peaks = (height > PEAK_RATIO) & (poisson.sf(reads - 1, expected) < PEAK_CHANCE)
    # Where all reads lie in a few windows there is no background to tell peaks from.
    return are_peaks & reads[~are_peaks].any()


def _in_units(weight: Float[np.ndarray, " alignment"]) -> Int64[np.ndarray, " alignment"]:
    """Weights in whole units: their sums are exact, so that the order of the reads leaves no trace."""
    return np.rint(np.asarray(weight, np.float64) * SHARES_IN_ONE).astype(np.int64)


def _histogram(bins: UInt8[np.ndarray, "window sample"]) -> Int64[np.ndarray, " bin"]:
    return np.bincount(bins.ravel(), minlength=NO_BIN + 1)[:GC_BINS]


def _range(bases: Int64[np.ndarray, " bin"]) -> tuple[float, float]:
    """The GC between which all bases but TAIL to either side lie."""
    low, high = np.searchsorted(np.cumsum(bases) / max(1, bases.sum()), [TAIL, 1 - TAIL])
    return float(low / GC_BINS), float((high + 1) / GC_BINS)
