"""How many bases have which coverage, counted from the runs that are written."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from regact.reads.coverage import IntervalChunk

# Half of a doubling a bin, from shares of a read in repeats to towers.
_EDGES = 2.0 ** np.arange(-10, 32.5, 0.5)


@dataclass(frozen=True, eq=False)
class CoverageHistogram:
    """Bases of a genome by their coverage.

    Attributes:
        edges: Limits of the bins of coverage above 0; the first bin holds all below it, too, the last all above.
        bases: Bases in each bin.
        uncovered: Bases without coverage.
        total: Sum of the coverage.
        maximum: Highest coverage of a base.
    """

    edges: Float64[np.ndarray, " bin+1"]
    bases: Int64[np.ndarray, " bin"]
    uncovered: int
    total: float
    maximum: float

    @property
    def covered_share(self) -> float:
        """Bases with coverage of all bases."""
        covered = int(self.bases.sum())
        return covered / max(covered + self.uncovered, 1)


def coverage_histogram(chunks: Iterable[IntervalChunk], total_bp: int) -> CoverageHistogram:
    """The histogram of coverage given as runs, as `coverage_intervals` yields them; `total_bp` is the genome's length.

    Bins without a base at either end are left out.
    """
    bases = np.zeros(len(_EDGES) - 1, np.int64)
    total, maximum = 0.0, 0.0
    for _, starts, ends, values in chunks:
        lengths = ends - starts
        bins = np.clip(np.searchsorted(_EDGES, values, side="right") - 1, 0, len(bases) - 1)
        # Weights of bincount are float64: exact for any genome.
        bases += np.bincount(bins, weights=lengths, minlength=len(bases)).astype(np.int64)
        total += float(np.sum(lengths * values.astype(np.float64)))
        maximum = max(maximum, float(values.max(initial=0)))
    used = np.flatnonzero(bases)
    first, last = (used[0], used[-1] + 1) if len(used) else (0, 1)
    return CoverageHistogram(_EDGES[first : last + 1], bases[first:last], total_bp - int(bases.sum()), total, maximum)
