"""Who may learn from which bases: contigs in pieces, pieces in folds, and distance between folds.

Everything here is decided on contigs, never on windows, since neighbouring windows may share bases and always share
what their sequence evolved from.
"""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from regact.genome import Interval


@dataclass(frozen=True)
class Stretch:
    """Bases of one fold without a gap; windows lie inside one stretch."""

    interval: Interval
    fold: str


def break_contig(contig: Interval, *, window_bp: int, step_bp: int, break_bp: int, apart_bp: int) -> list[Interval]:
    """Pieces of a contig, at most `break_bp` long and `apart_bp` apart, each as long as a whole number of windows.

    A piece of m windows is `window_bp + (m - 1) * step_bp` long, so that no window is lost to a break; the last one of
    a contig may have any length from `window_bp` on. What remains at its end is shorter than a window.
    """
    piece_bp = window_bp + (break_bp - window_bp) // step_bp * step_bp
    pieces = []
    start = contig.start
    while contig.end - start >= window_bp:
        end = min(start + piece_bp, contig.end)
        pieces.append(Interval(contig.chrom, start, end))
        start = end + apart_bp
    return pieces


def assign_folds(lengths: Sequence[int], shares: Sequence[float], seed: int) -> list[int]:
    """The fold of each piece, such that fold f gets about `shares[f]` of all nucleotides.

    The pieces are dealt out longest first, those of one length in random order; each goes to the fold with the largest
    unfilled part of its share. So no fold exceeds its share by a whole piece, and none is empty where there are as many
    pieces as folds. The same seed gives the same folds with every version of NumPy.

    Args:
        lengths: Length of each piece in bp.
        shares: Wanted share of each fold, > 0, adding up to 1.
        seed: Decides every tie.
    """
    if not all(share > 0 for share in shares):
        raise ValueError(f"shares {list(shares)}; needed numbers > 0")
    # Raw generator words: NumPy promises their values for ever, but not those of its permutations.
    words = np.random.Philox(key=seed).random_raw(len(lengths) + len(shares))
    order = np.lexsort((words[: len(lengths)], -np.asarray(lengths, dtype=np.int64)))
    rank = words[len(lengths) :]
    wanted = [share * sum(lengths) for share in shares]
    left = list(wanted)
    folds = [0] * len(lengths)
    for piece in order:
        fold = max(range(len(shares)), key=lambda f: (left[f] / wanted[f], rank[f]))
        left[fold] -= lengths[piece]
        folds[piece] = fold
    return folds


def join_pieces(pieces: Sequence[Interval], folds: Sequence[str]) -> list[Stretch]:
    """Stretches of one contig: neighbouring pieces of one fold become one again, with what lies between them."""
    stretches = []
    for fold, group in groupby(zip(pieces, folds, strict=True), key=lambda pair: pair[1]):
        run = [piece for piece, _ in group]
        stretches.append(Stretch(Interval(run[0].chrom, run[0].start, run[-1].end), fold))
    return stretches


def keep_apart(stretches: Iterable[Stretch], apart_bp: int) -> list[Stretch]:
    """The stretches, trimmed on both sides of every border so that different folds are `apart_bp` or more apart.

    Stretches of different folds must not overlap (`find_overlaps`). A stretch may be trimmed to nothing and is then
    left out.
    """
    stretches = list(stretches)
    borders = _borders(stretches)
    kept = []
    for stretch in stretches:
        chrom, start, end = stretch.interval.chrom, stretch.interval.start, stretch.interval.end
        before, after = apart_bp, apart_bp
        for fold, (starts, ends) in borders[chrom].items():
            if fold == stretch.fold:
                continue
            left, right = bisect_right(ends, start), bisect_left(starts, end)
            before = min(before, start - ends[left - 1] if left else apart_bp)
            after = min(after, starts[right] - end if right < len(starts) else apart_bp)
        start, end = start + _half_missing(before, apart_bp), end - _half_missing(after, apart_bp)
        if start < end:
            kept.append(replace(stretch, interval=Interval(chrom, start, end)))
    return kept


def find_overlaps(stretches: Sequence[Stretch]) -> list[tuple[int, int]]:
    """Pairs (positions in `stretches`) of different folds that share a base; for each stretch the first one found."""
    reach: dict[str, dict[str, int]] = defaultdict(dict)  # chrom, fold: the stretch that reaches furthest so far
    pairs = []
    for i in sorted(range(len(stretches)), key=lambda i: stretches[i].interval):
        interval, fold = stretches[i].interval, stretches[i].fold
        furthest = reach[interval.chrom]
        clash = [j for other, j in furthest.items() if other != fold and stretches[j].interval.overlaps(interval)]
        pairs += [(j, i) for j in clash[:1]]
        if fold not in furthest or stretches[furthest[fold]].interval.end < interval.end:
            furthest[fold] = i
    return pairs


def _borders(stretches: Iterable[Stretch]) -> dict[str, dict[str, tuple[list[int], list[int]]]]:
    """Sorted starts and sorted ends of each chromosome's stretches, by fold."""
    borders: dict[str, dict[str, tuple[list[int], list[int]]]] = defaultdict(lambda: defaultdict(lambda: ([], [])))
    for stretch in sorted(stretches, key=lambda stretch: stretch.interval):
        starts, ends = borders[stretch.interval.chrom][stretch.fold]
        starts.append(stretch.interval.start)
        insort(ends, stretch.interval.end)
    return borders


def _half_missing(distance_bp: int, apart_bp: int) -> int:
    """What each of two neighbours gives up so that they come `apart_bp` apart."""
    return max(0, -(-(apart_bp - distance_bp) // 2))
