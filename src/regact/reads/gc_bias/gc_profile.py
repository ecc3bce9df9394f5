"""Coverage against GC in windows along the genome: what a correction has to level, and whether it did."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int64

from regact.genome import Genome
from regact.reads.alignments import Alignments
from regact.reads.gc_bias.content import gc_shares
from regact.reads.gc_bias.windows import fragment_centres, hold_n
from regact.reads.genome_bins import GenomeBins
from regact.reads.layout import GenomeLayout

# Not those that the curve is fitted on, which are multiples of its stride: a correction is judged by other windows.
WINDOW_BP = 1_000


@dataclass(frozen=True, eq=False)
class GcProfile:
    """Windows without N, end to end along the contigs.

    Attributes:
        gc: Share of G and C.
        before: Fragments whose centre lies in the window, before GC correction.
        after: The same after it.
    """

    gc: Float64[np.ndarray, " window"]
    before: Float64[np.ndarray, " window"]
    after: Float64[np.ndarray, " window"]

    def __len__(self) -> int:
        return len(self.gc)

    def where(self, *, least_fragments: float) -> "GcProfile":
        """The windows with so many fragments before correction."""
        kept = self.before >= least_fragments
        return GcProfile(self.gc[kept], self.before[kept], self.after[kept])

    def correlation(self, counts: Float64[np.ndarray, " window"]) -> float | None:
        """Pearson correlation of `counts` with GC; None where either does not vary."""
        if len(self) < 2 or np.ptp(self.gc) == 0 or np.ptp(counts) == 0:
            return None
        return float(np.corrcoef(self.gc, counts)[0, 1])

    def group_means(
        self, edges: Float64[np.ndarray, " group+1"]
    ) -> tuple[Int64[np.ndarray, " group"], Float64[np.ndarray, "3 group"]]:
        """For groups of windows by GC: how many, and the means of gc, before and after, each count over its own mean.

        Groups without a window have NaN. The last group holds its upper edge, too.
        """
        group = np.clip(np.searchsorted(edges, self.gc, side="right") - 1, 0, len(edges) - 2)
        windows = np.bincount(group, minlength=len(edges) - 1)
        with np.errstate(invalid="ignore"):
            means = [np.bincount(group, weights=value, minlength=len(edges) - 1) / windows for value in self._scaled()]
        return windows, np.stack(means)

    def deciles(self) -> Float64[np.ndarray, "3 decile"]:
        """Means of gc, before and after in tenths of the windows by GC, each count over its mean in all windows."""
        order = np.argsort(self.gc, kind="stable")
        return np.array([[tenth.mean() for tenth in np.array_split(value[order], 10)] for value in self._scaled()])

    def _scaled(self) -> tuple[Float64[np.ndarray, " window"], ...]:
        """GC, and either count over its mean."""
        return self.gc, self.before / self.before.mean(), self.after / self.after.mean()


def count_by_gc(
    genome: Genome,
    layout: GenomeLayout,
    alignments: Alignments,
    before: Float[np.ndarray, " alignment"],
    after: Float[np.ndarray, " alignment"],
    *,
    window_bp: int = WINDOW_BP,
) -> GcProfile:
    """Fragments by their centre in windows of `window_bp`; a contig's last, shorter window is left out.

    Args:
        genome: Holds the contigs of `layout`.
        before: Each place's share of its read.
        after: The same, corrected.
    """
    windows = GenomeBins(layout, window_bp)
    known = ~hold_n(genome, layout, windows.starts, window_bp)
    starts = windows.starts[known]
    gc = gc_shares(genome, layout, starts, np.full(len(starts), window_bp))
    centres = fragment_centres(alignments)
    counts = (windows.sums(centres, weight)[known] for weight in (before, after))
    return GcProfile(gc.astype(np.float64), *counts)
