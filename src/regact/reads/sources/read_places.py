"""Places of one read brought together, and the fate of every read decided."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int32, Int64

from regact.errors import FormatError
from regact.reads.layout import GenomeLayout
from regact.reads.presets import CoverageSettings
from regact.reads.sources.fates import FATE_NAMES, UNMAPPED, Fates
from regact.reads.sources.read_decision import decide_reads, join_mates
from regact.reads.sources.rows import ALONE, EVIDENCE, PRIMARY, READ2, ROW, Tally

# One place of a read that counts: what is left of `ROW`.
PLACE = np.dtype([("start", "i8"), ("length", "i4"), ("differences", "i2"), ("strand", "i1"), ("kind", "u1")])
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
        join_mates(rows, self._rule, self._borders)
        if self._settings.pairs == "mates":
            rows = _part_mates(rows)
        kept = np.zeros(len(rows), np.bool_)
        sizes = np.zeros(len(rows), np.int32)
        reads = decide_reads(rows, self._rule, kept, sizes, self._fates, self._place_counts)
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
