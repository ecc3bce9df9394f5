"""Sets of regions, merged and sorted, that answer which bases of an interval they cover."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from jaxtyping import Bool, Int64

from regact.genome.interval import Interval

_Bounds = tuple[Int64[np.ndarray, " region"], Int64[np.ndarray, " region"]]
_EMPTY: _Bounds = (np.empty(0, np.int64), np.empty(0, np.int64))


class Regions:
    """Regions of a genome: per contig sorted, without overlap, touching ones joined; empty ones are nothing.

    Made by `Regions.from_intervals` or `read_bed`; unchangeable.
    """

    def __init__(self, bounds: Mapping[str, tuple[np.ndarray, np.ndarray]] | None = None) -> None:
        """Merge starts and ends (int64, any order, overlaps allowed) per contig."""
        merged = {chrom: _merge(*pair) for chrom, pair in (bounds or {}).items()}
        self._bounds = {chrom: pair for chrom, pair in sorted(merged.items()) if pair[0].size}

    @classmethod
    def from_intervals(cls, intervals: Iterable[Interval]) -> "Regions":
        """The union of the intervals."""
        places: dict[str, list[tuple[int, int]]] = {}
        for interval in intervals:
            places.setdefault(interval.chrom, []).append((interval.start, interval.end))
        pairs = {chrom: np.array(rows, np.int64).reshape(-1, 2) for chrom, rows in places.items()}
        return cls({chrom: (rows[:, 0], rows[:, 1]) for chrom, rows in pairs.items()})

    def __len__(self) -> int:
        """Number of merged regions."""
        return sum(starts.size for starts, _ in self._bounds.values())

    def __iter__(self) -> Iterator[Interval]:
        """The merged regions, sorted by contig name and place."""
        for chrom, (starts, ends) in self._bounds.items():
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
                yield Interval(chrom, start, end)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Regions) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Regions({len(self)} regions on {len(self._bounds)} contigs, {self.total_bp:,} bp)"

    def __or__(self, other: "Regions") -> "Regions":
        """The bases that either covers."""
        chroms = [*self._bounds, *other._bounds]
        return Regions({chrom: _join(self.bounds(chrom), other.bounds(chrom)) for chrom in chroms})

    @property
    def chroms(self) -> tuple[str, ...]:
        """Contigs that hold a region, sorted by name."""
        return tuple(self._bounds)

    @property
    def total_bp(self) -> int:
        """Bases covered."""
        return sum(int((ends - starts).sum()) for starts, ends in self._bounds.values())

    def bounds(self, chrom: str) -> _Bounds:
        """Starts and ends of a contig's regions, both int64 and sorted; empty where it has none."""
        return self._bounds.get(chrom, _EMPTY)

    def overlaps(self, interval: Interval) -> bool:
        """Whether at least one base of the interval is covered."""
        starts, _ = self._within(interval)
        return bool(starts.size) and interval.length > 0

    def covered(self, interval: Interval) -> Bool[np.ndarray, " position"]:
        """Which bases of the interval are covered."""
        starts, ends = self._within(interval)
        # +1 where a region starts, -1 where it ends. Merged regions never share an edge, so none is written twice.
        steps = np.zeros(interval.length + 1, np.int8)
        steps[starts - interval.start] = 1
        steps[ends - interval.start] = -1
        return np.cumsum(steps[:-1], dtype=np.int8).astype(bool)

    def covered_per_bin(self, interval: Interval, bin_bp: int) -> Int64[np.ndarray, " bin"]:
        """How many bases of each bin of `bin_bp` are covered; costs by the number of bins and regions, not of bases.

        Raises: ValueError where bins do not divide the interval.
        """
        if bin_bp < 1 or interval.length % bin_bp:
            raise ValueError(f"bins of {bin_bp} bp do not divide {interval}, {interval.length} bp")
        edges = np.arange(interval.start, interval.end + 1, bin_bp, dtype=np.int64)
        starts, ends = self._within(interval)
        if not starts.size:
            return np.zeros(edges.size - 1, np.int64)
        # Covered bases left of each edge: whole regions that start before it, less what the last reaches beyond it.
        whole = np.concatenate(([0], np.cumsum(ends - starts)))
        before = np.searchsorted(starts, edges, side="left")
        beyond = np.where(before > 0, np.maximum(ends[before - 1] - edges, 0), 0)
        return np.diff(whole[before] - beyond)

    def intersection(self, interval: Interval) -> list[Interval]:
        """The covered parts of the interval."""
        starts, ends = self._within(interval)
        return _intervals(interval.chrom, starts, ends)

    def subtract_from(self, interval: Interval) -> list[Interval]:
        """The parts of the interval that are not covered, none of them empty."""
        starts, ends = self._within(interval)
        left = np.concatenate(([interval.start], ends))
        right = np.concatenate((starts, [interval.end]))
        return _intervals(interval.chrom, left, right)

    def _within(self, interval: Interval) -> _Bounds:
        """Starts and ends of what is covered within the interval."""
        starts, ends = self.bounds(interval.chrom)
        first = np.searchsorted(ends, interval.start, side="right")
        last = max(first, np.searchsorted(starts, interval.end, side="left"))
        return np.maximum(starts[first:last], interval.start), np.minimum(ends[first:last], interval.end)


def _intervals(chrom: str, starts: np.ndarray, ends: np.ndarray) -> list[Interval]:
    pairs = zip(starts.tolist(), ends.tolist(), strict=True)
    return [Interval(chrom, start, end) for start, end in pairs if start < end]


def _join(first: _Bounds, second: _Bounds) -> _Bounds:
    return np.concatenate((first[0], second[0])), np.concatenate((first[1], second[1]))


def _merge(starts: np.ndarray, ends: np.ndarray) -> _Bounds:
    """The union of the regions; empty ones dropped, overlapping and touching ones joined."""
    starts, ends = np.asarray(starts, np.int64), np.asarray(ends, np.int64)
    filled = ends > starts
    order = np.argsort(starts[filled], kind="stable")
    starts, ends = starts[filled][order], ends[filled][order]
    if not starts.size:
        return _EMPTY
    reach = np.maximum.accumulate(ends)
    opens = np.concatenate(([True], starts[1:] > reach[:-1]))
    closes = np.concatenate((opens[1:], [True]))
    return starts[opens], reach[closes]
