"""Places of one read brought together, and the fate of every read decided."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int32, Int64

from regact.errors import FormatError
from regact.reads.bam_records import ALONE, EVIDENCE, OWN_LENGTH, PRIMARY, READ2, ROW, TIED, Tally
from regact.reads.compiled import compiled
from regact.reads.fates import (
    FATE_NAMES,
    LAST_OF_READ,
    NO_PRIMARY,
    NOT_PROPER_PAIR,
    PLACES_NOT_LISTED,
    TOO_MANY_PLACES,
    UNMAPPED,
    Fates,
)
from regact.reads.layout import GenomeLayout
from regact.reads.presets import CoverageSettings

# One place of a read that counts: what is left of `ROW`.
PLACE = np.dtype([("start", "i8"), ("length", "i4"), ("differences", "i2"), ("strand", "i1"), ("kind", "u1")])
# Reads with more records than this have too many places without looking which of them are the same.
_COMPARED_RECORDS = 1000
_READ2_KEY = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class ReadPlaces:
    """The places of all reads that count, as they stand in the file.

    Attributes:
        offsets: Places of read i are [offsets[i], offsets[i + 1]).
        rows: One per place (dtype `PLACE`): start, length, strand of the alignment or of the pair's fragment.
        fates: What became of every read of the file.
        tally: Records of the file by kind.
        place_counts: Reads with n places at [n], those with too many among them; the last stands for all higher n.
    """

    offsets: Int64[np.ndarray, "read+1"]
    rows: np.ndarray
    fates: Fates
    tally: Tally
    place_counts: Int64[np.ndarray, "places"]


def gather_reads(
    pieces: Iterable[np.ndarray],
    tally: Tally,
    settings: CoverageSettings,
    layout: GenomeLayout,
    *,
    grouped: bool,
    group_by_name: bool,
    where: object,
) -> ReadPlaces:
    """The reads that the rows are places of; those left out are in `fates` only.

    Args:
        pieces: Rows as `parse_records` yields them, which counts in `tally` meanwhile.
        layout: Where contigs end: no pair spans two of them.
        grouped: Records of a read stand together, as the file's header promises: rows are then decided on as they
            come, and only those that count are held.
        group_by_name: Bring records of a read together here, whatever their order.
        where: Names the file in errors.

    Raises: FormatError where reads with several places do not stand together and no tag says how many they have.
    """
    decided = _Decided(settings, layout)
    if grouped and not group_by_name:
        for rows in _whole_reads(pieces):
            decided.add(rows)
    else:
        rows = np.concatenate([np.empty(0, ROW), *pieces])
        decided.add(_in_read_order(rows, group_by_name=group_by_name, where=where))
    return decided.finish(tally)


class _Decided:
    """Collects the reads that count, and the fates of all."""

    def __init__(self, settings: CoverageSettings, layout: GenomeLayout) -> None:
        self._settings = settings
        self._borders = layout.offsets
        self._rule = np.array(
            [
                settings.max_places,
                settings.pairs != "fragment",
                settings.keep_unlisted,
                settings.min_fragment_bp,
                settings.max_fragment_bp,
            ],
            np.int64,
        )
        self._sizes: list[Int32[np.ndarray, read]] = []
        self._rows: list[np.ndarray] = []
        self._fates = np.zeros(len(FATE_NAMES) + 1, np.int64)
        self._place_counts = np.zeros(2 * settings.max_places + 2, np.int64)

    def add(self, rows: np.ndarray) -> None:
        """Decide on reads whose rows stand together, none of them cut."""
        one_by_one = self._settings.pairs == "mates"
        if one_by_one:
            rows = _part_mates(rows)
        kept = np.zeros(len(rows), np.bool_)
        sizes = np.zeros(len(rows), np.int32)
        reads = _decide(rows, self._rule, self._borders, kept, sizes, self._fates, self._place_counts)
        places = np.empty(int(kept.sum()), PLACE)
        for name in PLACE.names or ():
            places[name] = rows[name][kept]
        self._sizes.append(sizes[:reads].copy())
        self._rows.append(places)

    def finish(self, tally: Tally) -> ReadPlaces:
        """All that was collected; `tally` knows the reads that no row stood for."""
        sizes = np.concatenate([np.empty(0, np.int32), *self._sizes])
        rows = np.concatenate([np.empty(0, PLACE), *self._rows])
        self._fates[UNMAPPED] += tally.unmapped_reads
        unique = int((sizes == 1).sum())
        multi = len(sizes) - unique
        left_out = dict(zip(FATE_NAMES, self._fates[1:].tolist(), strict=True))
        if self._settings.em == "unique":
            # They are held all the same: where they lie, GC bias is not fitted.
            left_out["too_many_places"] += multi
            multi = 0
        fates = Fates(unique, multi, **left_out)
        offsets = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        return ReadPlaces(offsets, rows, fates, tally, self._place_counts)


def _whole_reads(pieces: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """The same rows, cut between reads only."""
    rest = np.empty(0, ROW)
    for rows in pieces:
        rest = np.concatenate([rest, rows])
        if len(rest):
            others = np.flatnonzero(rest["key"] != rest["key"][-1])
            cut = int(others[-1]) + 1 if len(others) else 0
            yield rest[:cut]
            rest = rest[cut:]
    yield rest


def _in_read_order(rows: np.ndarray, *, group_by_name: bool, where: object) -> np.ndarray:
    """`rows` with those of one read side by side."""
    if group_by_name:
        return rows[np.argsort(rows["key"], kind="stable")]
    if _stand_together(rows["key"]):
        return rows
    alone = rows["kind"] & ALONE != 0
    secondary = ~alone & (rows["kind"] & (PRIMARY | EVIDENCE) == 0)
    if (secondary & (rows["places"] == 0)).any():
        raise FormatError(
            where,
            "reads with several places do not stand together, and no NH tag says how many they have",
            "records grouped by read name",
            "run `samtools collate -o grouped.bam FILE`, or say --group-by-name to have it done in memory",
        )
    several = secondary | (rows["places"] > 1) | np.isin(rows["key"], rows["key"][alone])
    multi = rows[several]
    return np.concatenate([rows[~several], multi[np.argsort(multi["key"], kind="stable")]])


def _stand_together(keys: np.ndarray) -> bool:
    begins = np.append(True, keys[1:] != keys[:-1])[: len(keys)]
    first = keys[begins]
    return len(np.unique(first)) == len(first)


def _part_mates(rows: np.ndarray) -> np.ndarray:
    """`rows` with those of read 2 after those of read 1 of its name, under a key of their own: reads by themselves."""
    read2 = rows["kind"] & READ2 != 0
    name = np.concatenate([[0], np.cumsum(rows["key"][1:] != rows["key"][:-1])])[: len(rows)]
    order = np.argsort(2 * name + read2, kind="stable")
    rows, read2 = rows[order], read2[order]
    rows["key"][read2] ^= _READ2_KEY
    return rows


@compiled
def _decide(
    rows: np.ndarray,
    rule: Int64[np.ndarray, "5"],
    borders: Int64[np.ndarray, "contig+1"],
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
        fate, places = _judge(rows, begin, end, rule, borders, kept)
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
    borders: Int64[np.ndarray, "contig+1"],
    kept: Bool[np.ndarray, "row"],
) -> tuple[int, int]:
    """Fate (0 = counts) and number of places of the read in rows [begin, end); marks its different places as kept.

    A fate of -1 stands for rows without a read of their own: mates' evidence on a read 1 that is not in the file.
    """
    max_places, by_end, keep_unlisted = rule[0], rule[1], rule[2]
    main, records, stated = -1, 0, 0
    for row in range(begin, end):
        if rows[row].kind & EVIDENCE:
            continue
        records += 1
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
    records -= _join_mates(rows, begin, end, rows[main].length, rule, borders)
    if records == 1 and rows[main].kind & TIED and not keep_unlisted:
        return PLACES_NOT_LISTED, 0
    places = _mark_places(rows, begin, end, by_end, kept)
    if places == 0:
        return rows[main].fate, 0
    if max(places, stated) > max_places and not (keep_unlisted and records == 1):
        return TOO_MANY_PLACES, max(places, stated)
    return 0, places


@compiled
def _join_mates(
    rows: np.ndarray,
    begin: int,
    end: int,
    usual_bp: int,
    rule: Int64[np.ndarray, "5"],
    borders: Int64[np.ndarray, "contig+1"],
) -> int:
    """Make fragments of read 1's places that stand alone, each with the mate's place that goes with it.

    It lies on the other strand, ends the fragment and makes it neither too short nor too long; of several the one that
    makes it most like the pair's own of `usual_bp`. Places without such a mate are none; returns how many they are.
    """
    left_out = 0
    for row in range(begin, end):
        if rows[row].kind & (ALONE | EVIDENCE) != ALONE or rows[row].fate:
            continue
        best, best_start, best_bp = -1, 0, 0
        contig = np.searchsorted(borders, rows[row].start, side="right")
        for mate in range(begin, end):
            # A mate's row has read 1's strand.
            if not rows[mate].kind & EVIDENCE or rows[mate].fate or rows[mate].strand != rows[row].strand:
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
            left_out += 1
            continue
        rows[row].start, rows[row].length, rows[row].kind = best_start, best_bp, rows[row].kind | OWN_LENGTH
        if rows[row].differences >= 0 and rows[best].differences >= 0:
            rows[row].differences += rows[best].differences
    return left_out


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
