"""The windows of the genome that GC bias is fitted on: known bases, and reads whose places are known too."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, UInt8

from regact.errors import DataError
from regact.genome import Genome
from regact.reads.alignments import Alignments
from regact.reads.gc_bias.content import fragment_gc
from regact.reads.genome_bins import GenomeBins
from regact.reads.layout import GenomeLayout

WINDOW_BP = 1024
MAX_WINDOWS = 100_000
MIN_WINDOWS = 20
MAX_MULTIMAPPED = 0.1
# A fragment that might have been is laid at every eighth base of a window.
STRIDE_BP = 8
GC_BINS = 200
NO_BIN = 255
_WINDOWS_AT_ONCE = 4096
_LENGTHS = 1024
_LENGTH_STEP = 633  # coprime to _LENGTHS and near its golden section: neighbouring bases get unlike lengths


@dataclass(frozen=True, eq=False)
class GcWindows:
    """Windows chosen for the fit, in the genome's order, and why others are not among them.

    Attributes:
        starts: Genome-wide; each is WINDOW_BP long.
        n_tiled: Whole windows that the genome has.
        with_n: Left out because they hold a base that is not known.
        multimapped: Left out because too many of their covered bases are places of multi-mapped reads.
    """

    starts: Int64[np.ndarray, " window"]
    n_tiled: int
    with_n: int
    multimapped: int

    def find(self, places: Int64[np.ndarray, " place"]) -> Int64[np.ndarray, " place"]:
        """Number of the window that each place lies in, -1 where in none."""
        number = np.searchsorted(self.starts, places, side="right") - 1
        return np.where((number >= 0) & (places < self.starts[number] + WINDOW_BP), number, -1)


def choose_windows(genome: Genome, layout: GenomeLayout, alignments: Alignments) -> GcWindows:
    """Windows without N and in which at most MAX_MULTIMAPPED of the covered bases are places of multi-mapped reads.

    A base is covered where a fragment has its centre. Of more than MAX_WINDOWS, some at equal distances are taken.

    Raises: DataError where fewer than MIN_WINDOWS are left.
    """
    starts = GenomeBins(layout, WINDOW_BP).starts
    without_n = ~hold_n(genome, layout, starts, WINDOW_BP)
    tiled = GcWindows(starts[without_n], len(starts), int((~without_n).sum()), 0)
    kept = _share_multimapped(tiled, alignments) <= MAX_MULTIMAPPED
    left = tiled.starts[kept]
    if len(left) < MIN_WINDOWS:
        raise DataError(
            "GC bias",
            f"{len(left)} windows of {WINDOW_BP} bp without N or many multi-mapped bases, of {len(starts)}",
            f"at least {MIN_WINDOWS} to fit it on",
            "turn the correction off (gc: false)",
        )
    evenly = np.arange(0, len(left), max(1.0, len(left) / MAX_WINDOWS)).astype(np.int64)
    return GcWindows(left[evenly], len(starts), tiled.with_n, int((~kept).sum()))


def possible_gc(
    genome: Genome, layout: GenomeLayout, windows: GcWindows, alignments: Alignments
) -> UInt8[np.ndarray, "window sample"]:
    """GC bins of fragments as they might have been: centred at every STRIDE_BP-th base, of lengths as observed.

    NO_BIN where such a fragment would reach beyond its contig.
    """
    kinds = (alignments.length,) if alignments.extended is None else (alignments.extended, alignments.length)
    by_length = np.lexsort(kinds)
    some = by_length[np.linspace(0, len(by_length) - 1, _LENGTHS).round().astype(np.int64)]
    per_window = WINDOW_BP // STRIDE_BP
    bins = np.full((len(windows.starts), per_window), NO_BIN, np.uint8)
    for first in range(0, len(bins), _WINDOWS_AT_ONCE):
        part = bins[first : first + _WINDOWS_AT_ONCE].reshape(-1)
        window_starts = windows.starts[first : first + _WINDOWS_AT_ONCE]
        centres = (window_starts[:, None] + np.arange(STRIDE_BP // 2, WINDOW_BP, STRIDE_BP)).ravel()
        drawn = (first * per_window + np.arange(len(centres))) * _LENGTH_STEP % _LENGTHS
        starts, lengths = centres - alignments.length[some[drawn]] // 2, alignments.length[some[drawn]]
        contig = layout.contig_of(centres)
        inside = np.flatnonzero((starts >= layout.offsets[contig]) & (starts + lengths <= layout.offsets[contig + 1]))
        possible = Alignments(
            np.arange(len(inside) + 1),
            centres[inside],
            starts[inside],
            lengths[inside],
            (1 - 2 * (drawn[inside] % 2)).astype(np.int8),
            extended=None if alignments.extended is None else alignments.extended[some[drawn[inside]]],
        )
        part[inside] = gc_bins(fragment_gc(genome, layout, possible))
    return bins


def gc_bins(gc: Float32[np.ndarray, " fragment"]) -> UInt8[np.ndarray, " fragment"]:
    """Number of the bin, of GC_BINS equal ones, that each share lies in; NO_BIN for NaN."""
    known = np.nan_to_num(gc, nan=0)
    return np.where(np.isnan(gc), NO_BIN, np.minimum(known * GC_BINS, GC_BINS - 1)).astype(np.uint8)


def fragment_centres(alignments: Alignments) -> Int64[np.ndarray, " alignment"]:
    """The middle base of each alignment's fragment, genome-wide."""
    return alignments.start + alignments.length // 2


def hold_n(
    genome: Genome, layout: GenomeLayout, starts: Int64[np.ndarray, " window"], window_bp: int
) -> Bool[np.ndarray, " window"]:
    """Which of the windows that begin at these genome-wide places hold a base that is not known."""
    runs = np.concatenate(
        [first + genome.n_runs(name) for name, first in zip(layout.names, layout.offsets[:-1], strict=True)]
    )
    if not len(runs):
        return np.zeros(len(starts), np.bool_)
    # The first run that ends behind the window's start is the one that may lie in it.
    next_run = np.searchsorted(runs[:, 1], starts, side="right")
    next_start = np.append(runs[:, 0], np.iinfo(np.int64).max)[next_run]
    return next_start < starts + window_bp


def _share_multimapped(windows: GcWindows, alignments: Alignments) -> Float64[np.ndarray, " window"]:
    """Share of a window's covered bases at which a multi-mapped read may have its centre; 0 where none is covered."""
    centres = fragment_centres(alignments)
    n_places = np.diff(alignments.offsets)
    covered = _count(windows, np.unique(centres))
    multimapped = _count(windows, np.unique(centres[np.repeat(n_places > 1, n_places)]))
    return multimapped / np.maximum(covered, 1)


def _count(windows: GcWindows, places: Int64[np.ndarray, " place"]) -> Int64[np.ndarray, " window"]:
    number = windows.find(places)
    return np.bincount(number[number >= 0], minlength=len(windows.starts))
