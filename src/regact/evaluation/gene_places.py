"""Where a split sees the starts of transcription of genes, and which track speaks for a gene's strand."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from regact.evaluation.split_predictions import SplitPredictions
from regact.genome import Gene
from regact.tracks import TrackSheet, track_strands

FLANK_BINS = 1  # on either side of the bin that holds the start: annotated starts are some 100 bp off


@dataclass(frozen=True)
class GenePlaces:
    """Genes that a split sees, and the columns of `SplitPredictions` around their starts.

    Attributes:
        genes: The genes, in the annotation's order.
        columns: The bin of the start and its neighbours.
        left_out: Genes whose start the split sees, but not with its neighbours, or masked.
    """

    genes: tuple[Gene, ...]
    columns: Int64[np.ndarray, "gene bin"]
    left_out: int


@dataclass(frozen=True)
class SignalOfGenes:
    """One signal that genes are judged on: a track, or both strands of one, the gene's own strand being read."""

    assay: str
    plus: int
    minus: int


def find_gene_places(
    predictions: SplitPredictions, genes: Sequence[Gene], *, flank_bins: int = FLANK_BINS
) -> GenePlaces:
    """Genes whose start, with `flank_bins` bins on either side, lies unmasked in a target of the split.

    Where several windows see a gene, the one whose middle is nearest counts.
    """
    column_of = _columns(predictions)
    windows = _WindowsOfSplit(predictions)
    found, columns, left_out = [], [], 0
    for gene in genes:
        place = windows.most_central(gene.interval.chrom, gene.tss)
        if place is None:
            continue
        window, at = place
        around = np.arange(at - flank_bins, at + flank_bins + 1)
        inside = around[0] >= 0 and around[-1] < column_of.shape[1]
        if inside and (column_of[window, around] >= 0).all():
            found.append(gene)
            columns.append(column_of[window, around])
        else:
            left_out += 1
    shape = (len(found), 2 * flank_bins + 1)
    return GenePlaces(tuple(found), np.array(columns, dtype=np.int64).reshape(shape), left_out)


def signals_of_genes(sheet: TrackSheet) -> list[SignalOfGenes]:
    """The signals in the sheet's order, a strand pair as one.

    Raises: ConfigError as `track_strands`.
    """
    strands = track_strands(sheet)
    signals = []
    for row, track in enumerate(sheet.tracks):
        if track.strand_pair >= row:  # a pair is told of once
            plus, minus = (row, track.strand_pair) if strands[row] != "-" else (track.strand_pair, row)
            signals.append(SignalOfGenes(track.assay, plus, minus))
    return signals


def _columns(predictions: SplitPredictions) -> Int64[np.ndarray, "window bin"]:
    """The column of each bin of each window of the split, -1 where it is masked."""
    mask = predictions.store.read_mask(predictions.store.rows(predictions.split))
    column = np.full(mask.shape, -1, dtype=np.int64)
    column[mask] = np.arange(mask.sum())
    return column


class _WindowsOfSplit:
    """Looks up the window of a split whose target holds a position nearest to its middle."""

    def __init__(self, predictions: SplitPredictions) -> None:
        store = predictions.store
        table = store.windows.iloc[store.rows(predictions.split)]
        self._bin_bp, self._target_bp = store.bin_bp, store.n_bins * store.bin_bp
        starts = table["start"].to_numpy() + store.crop_bins * store.bin_bp
        chroms = table["chrom"].to_numpy()
        self._by_chrom: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        for chrom in dict.fromkeys(chroms):
            window = np.flatnonzero(chroms == chrom)
            order = np.argsort(starts[window], kind="stable")
            self._by_chrom[str(chrom)] = window[order], starts[window][order]

    def most_central(self, chrom: str, position: int) -> tuple[int, int] | None:
        """Place of the window among those of the split, and the bin of its target; None where no target holds it."""
        if chrom not in self._by_chrom:
            return None
        window, starts = self._by_chrom[chrom]
        first, last = np.searchsorted(starts, (position - self._target_bp, position), side="right")
        if first == last:
            return None
        off_centre = np.abs(starts[first:last] + self._target_bp // 2 - position)
        best = first + int(np.argmin(off_centre))
        return int(window[best]), int(position - starts[best]) // self._bin_bp
