"""The fate of every read, and which of its rows are different places: compiled, for reads are many."""

import numpy as np
from jaxtyping import Bool, Int32, Int64

from regact.reads.compiled import compiled
from regact.reads.sources.fates import (
    LAST_OF_READ,
    NO_PRIMARY,
    NOT_PROPER_PAIR,
    PLACES_NOT_LISTED,
    TOO_MANY_PLACES,
)
from regact.reads.sources.rows import ALONE, EVIDENCE, OWN_LENGTH, PRIMARY, READ2, TIED

# Reads with more records than this have too many places without looking which of them are the same.
_COMPARED_RECORDS = 1000


@compiled
def decide_reads(
    rows: np.ndarray,
    rule: Int64[np.ndarray, "5"],
    kept: Bool[np.ndarray, "row"],
    sizes: Int32[np.ndarray, "row"],
    fates: Int64[np.ndarray, "fate"],
    place_counts: Int64[np.ndarray, "places"],
) -> int:
    """Mark the rows that count, write each counted read's number of them to `sizes`; return how many reads count."""
    reads, begin = 0, 0
    while begin < len(rows):
        end = begin + 1
        while end < len(rows) and rows[end].key == rows[begin].key:
            end += 1
        fate, places = _judge(rows, begin, end, rule, kept)
        if (places and fate <= 0) or fate == TOO_MANY_PLACES:
            place_counts[min(places, len(place_counts) - 1)] += 1
        if fate:
            fates[max(fate, 0)] += 1
            kept[begin:end] = False
        else:
            sizes[reads] = places
            reads += 1
        begin = end
    return reads


@compiled
def _judge(
    rows: np.ndarray,
    begin: int,
    end: int,
    rule: Int64[np.ndarray, "5"],
    kept: Bool[np.ndarray, "row"],
) -> tuple[int, int]:
    """Fate (0 = counts) and number of places of the read in rows [begin, end); marks its different places as kept.

    A fate of -1 stands for rows without a read of their own: mates' evidence on a read 1 that is not in the file.
    """
    max_places, by_end, keep_unlisted = rule[0], rule[1], rule[2]
    main, records, parted, stated = -1, 0, 0, 0
    for row in range(begin, end):
        if rows[row].kind & EVIDENCE:
            continue
        records += 1
        parted += rows[row].kind & ALONE != 0 and rows[row].fate == NOT_PROPER_PAIR
        stated = max(stated, rows[row].places)
        if main < 0 or rows[row].kind & PRIMARY:
            main = row
    if main < 0:
        return -1, 0
    if 0 < rows[main].fate <= LAST_OF_READ:
        return rows[main].fate, 0
    if not rows[main].kind & PRIMARY:
        return NO_PRIMARY, 0
    if records == 1 and stated > 1 and not keep_unlisted:
        return PLACES_NOT_LISTED, 0
    if records > max(_COMPARED_RECORDS, 2 * max_places):
        return TOO_MANY_PLACES, records
    if records - parted == 1 and rows[main].kind & TIED and not keep_unlisted:
        return PLACES_NOT_LISTED, 0
    places = _mark_places(rows, begin, end, by_end, kept)
    if places == 0:
        return rows[main].fate, 0
    if max(places, stated) > max_places and not (keep_unlisted and records == 1):
        return TOO_MANY_PLACES, max(places, stated)
    return 0, places


@compiled
def join_mates(rows: np.ndarray, rule: Int64[np.ndarray, "5"], borders: Int64[np.ndarray, "contig+1"]) -> None:
    """Where the places of a proper pair's mates stand alone, make fragments of those that go together.

    Others of its places are none: what one mate cannot tell apart the other may. Of pairs that are not proper every
    mate's places are its own. Rows of one name stand together, both mates among them.
    """
    begin = 0
    while begin < len(rows):
        end = begin + 1
        while end < len(rows) and rows[end].key == rows[begin].key:
            end += 1
        for mate in (0, READ2):
            main = -1
            for row in range(begin, end):
                if rows[row].kind & (READ2 | PRIMARY) == mate | PRIMARY:
                    main = row
            for row in range(begin, end):
                if rows[row].kind & (READ2 | ALONE | EVIDENCE) == mate | ALONE and main >= 0:
                    if rows[main].kind & OWN_LENGTH:
                        _join_mate(rows, begin, end, row, rows[main].length, rule, borders)
                    else:
                        rows[row].kind &= ~ALONE
        begin = end


@compiled
def _join_mate(
    rows: np.ndarray,
    begin: int,
    end: int,
    row: int,
    usual_bp: int,
    rule: Int64[np.ndarray, "5"],
    borders: Int64[np.ndarray, "contig+1"],
) -> None:
    """Make a fragment of one mate's place and the other's that goes with it, or mark it as no place.

    That one lies on the other strand, ends the fragment and makes it neither too short nor too long; of several it is
    the one that makes it most like the pair's own of `usual_bp`.
    """
    if rows[row].fate:
        return
    best, best_start, best_bp = -1, 0, 0
    contig = np.searchsorted(borders, rows[row].start, side="right")
    for mate in range(begin, end):
        if (rows[mate].kind ^ rows[row].kind) & READ2 == 0 or rows[mate].fate:
            continue
        if (rows[mate].strand == rows[row].strand) != (rows[mate].kind & EVIDENCE != 0):
            continue
        first, last = (row, mate) if rows[row].strand > 0 else (mate, row)
        start, stop = rows[first].start, rows[last].start + rows[last].length
        if not max(rule[3], rows[row].length) <= stop - start <= rule[4]:
            continue
        if np.searchsorted(borders, rows[mate].start, side="right") != contig:
            continue
        if best < 0 or abs(stop - start - usual_bp) < abs(best_bp - usual_bp):
            best, best_start, best_bp = mate, start, stop - start
    if best < 0:
        rows[row].fate = NOT_PROPER_PAIR
        return
    rows[row].start, rows[row].length, rows[row].kind = best_start, best_bp, rows[row].kind | OWN_LENGTH
    if rows[best].kind & EVIDENCE and rows[row].differences >= 0 and rows[best].differences >= 0:
        rows[row].differences += rows[best].differences


@compiled
def _mark_places(rows: np.ndarray, begin: int, end: int, by_end: int, kept: Bool[np.ndarray, "row"]) -> int:
    """Mark the different usable places of a read, add what its mate says about each; return how many they are."""
    places = 0
    for row in range(begin, end):
        if rows[row].fate or rows[row].kind & EVIDENCE:
            continue
        kept[row] = True
        # Mates by themselves: one mate's place is there once for every place of the other.
        for other in range(begin, row):
            if kept[other] and _is_same_place(rows, row, other, by_end):
                kept[row] = False
                break
        places += kept[row]
    for row in range(begin, end):
        if rows[row].kind & (EVIDENCE | ALONE) == EVIDENCE:
            for other in range(begin, end):
                if not kept[other] or rows[other].kind & ALONE or rows[other].differences < 0:
                    continue
                if _is_same_place(rows, row, other, by_end):
                    if rows[row].differences >= 0:
                        rows[other].differences += rows[row].differences
                    break
    return places


@compiled
def _is_same_place(rows: np.ndarray, one: int, other: int, by_end: int) -> bool:
    """Whether two rows are one place: the same fragment, or (`by_end`) the same 5' end."""
    a, b = rows[one], rows[other]
    if a.strand != b.strand:
        return False
    same_start, same_end = a.start == b.start, a.start + a.length == b.start + b.length
    if by_end:
        return same_start if a.strand > 0 else same_end
    return same_start and same_end
