"""What of the validation and test windows a model has seen in training: shared bases, and similar sequence elsewhere.

Splitting by coordinates does not part duplicated genes, transposons or ribosomal repeats. Similarity is measured as the
share of a window's distinct canonical k-mers that occur in training windows (containment). A k-mer of 24 occurs by
chance once in 10^14 places, so unrelated sequence shares none; two copies of identity p share about p^24 of theirs
(0.30 at 95 %).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd
from jaxtyping import Int32, UInt64

from regact.dataset.config import SPLITS
from regact.dataset.store import Store
from regact.engine import run_tasks
from regact.genome import Genome, Interval, Regions
from regact.genome.kmers import kmer_hashes

K = 24
MAX_KMERS = 2**24  # of the training sequence held in memory: 12 bytes each, and 20 more while they are sorted
_PIECES_PER_TASK = 256


def split_regions(store: Store, split: str, *, reach_bp: int = 0) -> Regions:
    """The bases that windows of a split read, `reach_bp` more at both ends of each; empty where it has no windows."""
    windows = store.windows[store.windows["split"] == split]
    return Regions.from_intervals(
        Interval(chrom, start - reach_bp, end + reach_bp)
        for chrom, start, end in zip(windows["chrom"], windows["start"], windows["end"], strict=True)
    )


def shared_bases(store: Store) -> pd.DataFrame:
    """One row per pair of splits: the bases that windows of both read, as they stand and with the largest shifts.

    Columns: split, other, shared_bp, shared_shifted_bp. All of it must be 0.
    """
    present = [split for split in SPLITS if (store.windows["split"] == split).any()]
    rows = []
    for split, other in combinations(present, 2):
        shared = [
            _shared_bp(split_regions(store, split, reach_bp=reach), split_regions(store, other, reach_bp=reach))
            for reach in (0, store.max_shift_bp)
        ]
        rows.append((split, other, *shared))
    return pd.DataFrame(rows, columns=["split", "other", "shared_bp", "shared_shifted_bp"])


def _shared_bp(one: Regions, other: Regions) -> int:
    return one.total_bp + other.total_bp - (one | other).total_bp


@dataclass(frozen=True)
class KmerIndex:
    """A sample of the k-mers of some pieces of sequence.

    Attributes:
        pieces: Where they lie.
        one_in: Which share of all k-mers is kept (see `kmer_hashes`).
        hashes: Ascending; one that several pieces hold stands there once for each.
        piece: For each hash, the piece that holds it.
    """

    pieces: tuple[Interval, ...]
    one_in: int
    hashes: UInt64[np.ndarray, " kmer"]
    piece: Int32[np.ndarray, " kmer"]

    def compare(self, hashes: UInt64[np.ndarray, " some"]) -> tuple[float, float, Interval | None]:
        """The share of some distinct hashes that any piece holds, the largest that one piece holds, and that piece.

        NaN and None where there are no hashes; None where no piece holds one.
        """
        if not len(hashes):
            return np.nan, np.nan, None
        first = np.searchsorted(self.hashes, hashes, side="left")
        copies = np.searchsorted(self.hashes, hashes, side="right") - first
        if not copies.any():
            return 0.0, 0.0, None
        # All places in the index: for each hash `copies` of them from `first` on.
        places = np.repeat(first - np.concatenate([[0], np.cumsum(copies)[:-1]]), copies) + np.arange(copies.sum())
        held = np.bincount(self.piece[places])
        nearest = int(held.argmax())
        return float((copies > 0).mean()), float(held[nearest] / len(hashes)), self.pieces[nearest]


def index_kmers(
    genome: Genome, regions: Iterable[Interval], *, piece_bp: int, max_kmers: int = MAX_KMERS, workers: int = 1
) -> KmerIndex:
    """The k-mers of `regions`, in pieces of `piece_bp`, sampled so that no more than about `max_kmers` are kept."""
    pieces = tuple(piece for region in regions for piece in _cut(region, piece_bp))
    one_in = max(1, -(-sum(piece.length for piece in pieces) // max_kmers))
    starts = range(0, len(pieces), _PIECES_PER_TASK)
    tasks = [range(start, min(start + _PIECES_PER_TASK, len(pieces))) for start in starts]
    function = partial(_kmers_of_pieces, genome, pieces, one_in)
    describe = partial(_name_task, pieces)
    found = dict(run_tasks(function, tasks, workers=workers, label="k-mers of training", describe=describe))
    parts = [found.pop(index) for index in range(len(tasks))]
    hashes = np.concatenate([np.empty(0, np.uint64), *(part[0] for part in parts)])
    piece = np.concatenate([np.empty(0, np.int32), *(part[1] for part in parts)])
    order = np.argsort(hashes, kind="stable")
    return KmerIndex(pieces, one_in, hashes[order], piece[order])


def kmer_similarity(store: Store, genome: Genome, *, workers: int = 1) -> pd.DataFrame:
    """How much of each validation and test window occurs in the training windows.

    One row per window, in the order of the window table: row, chrom, start, end, split; kmers (distinct ones looked
    at); shared (their share that training windows hold; NaN for a window of N alone); nearest (region string of the
    piece of training sequence that holds the most of them, "" for none) and nearest_shared (the share that it holds).
    """
    index = index_kmers(genome, split_regions(store, "train"), piece_bp=store.window_bp, workers=workers)
    judged = store.windows.loc[store.windows["split"].isin(["valid", "test"]), ["chrom", "start", "end", "split"]]
    rows = []
    for row, (chrom, start, end, split) in zip(judged.index, judged.to_numpy().tolist(), strict=True):
        hashes = np.unique(kmer_hashes(genome.fetch(Interval(chrom, start, end)), K, one_in=index.one_in))
        shared, nearest_shared, nearest = index.compare(hashes)
        rows.append((row, chrom, start, end, split, len(hashes), shared, str(nearest or ""), nearest_shared))
    columns = ["row", "chrom", "start", "end", "split", "kmers", "shared", "nearest", "nearest_shared"]
    return pd.DataFrame(rows, columns=columns)


def _kmers_of_pieces(
    genome: Genome, pieces: tuple[Interval, ...], one_in: int, numbers: range
) -> tuple[UInt64[np.ndarray, " kmer"], Int32[np.ndarray, " kmer"]]:
    """Distinct hashes of each piece, with the number of the piece."""
    hashes = []
    for number in numbers:
        piece = pieces[number]
        hashes.append(np.unique(kmer_hashes(genome.fetch(piece), K, one_in=one_in)))
    sizes = [len(part) for part in hashes]
    return np.concatenate(hashes), np.repeat(np.arange(numbers.start, numbers.stop, dtype=np.int32), sizes)


def _cut(region: Interval, piece_bp: int) -> Iterator[Interval]:
    """Pieces that overlap by one base less than a k-mer, so that none is lost at the cuts."""
    for start in range(region.start, region.end, piece_bp):
        yield Interval(region.chrom, start, min(start + piece_bp + K - 1, region.end))


def _name_task(pieces: tuple[Interval, ...], numbers: range) -> str:
    return f"k-mers of {pieces[numbers.start]} and on"
