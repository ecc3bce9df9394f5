"""Where motifs are bound in a sequence, on both strands."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int8, Int32, Int64, UInt8

from regact.simulation.motif import Motif

# Positions looked up together: 5^4 table entries stay in the first-level cache.
_WORD = 4
_BLOCK = 1 << 20


@dataclass(frozen=True, eq=False)
class Hits:
    """Bound motif sites, in order of their centres.

    Attributes:
        motif: Index into the scanned motifs.
        centre: The site's middle base.
        strand: 1 where the motif reads along the sequence, -1 where along the other strand.
        occupancy: Share of the time that the site is bound, above 0.
    """

    motif: Int64[np.ndarray, " hit"]
    centre: Int64[np.ndarray, " hit"]
    strand: Int8[np.ndarray, " hit"]
    occupancy: Float64[np.ndarray, " hit"]

    def __len__(self) -> int:
        return len(self.centre)

    def where(self, keep: Bool[np.ndarray, " hit"] | slice) -> "Hits":
        """The hits that `keep` picks."""
        return Hits(self.motif[keep], self.centre[keep], self.strand[keep], self.occupancy[keep])

    def of_motifs(self, first: int, last: int) -> "Hits":
        """The hits of the motifs with index `first` to `last - 1`."""
        return self.where((self.motif >= first) & (self.motif < last))


def scan(codes: UInt8[np.ndarray, " position"], motifs: Sequence[Motif]) -> Hits:
    """All sites of `motifs` in `codes` that are bound at all, on both strands.

    Sites that hang over an end or hold an N are not bound. A site that a motif fits on both strands is two hits.
    Time: about 10 ns per base for each motif of width 11.
    """
    widest = max(motif.width for motif in motifs)
    found = []
    for start in range(0, max(0, len(codes)), _BLOCK):
        block = codes[start : start + _BLOCK + widest - 1]
        words = _words(block)
        for index, motif in enumerate(motifs):
            # Sites that start in this block, so that none is found twice.
            starts = min(len(block) - motif.width + 1, _BLOCK)
            if starts <= 0:
                continue
            for strand, table in ((1, motif.scores), (-1, _reverse_complement(motif.scores))):
                score = _score(words, table, starts)
                place = np.flatnonzero(score >= motif.smallest_score)
                found.append((index, strand, start + place + motif.width // 2, motif.occupancy(score[place])))
    return _sorted_hits(found)


def _words(codes: UInt8[np.ndarray, " position"]) -> Int64[np.ndarray, " position"]:
    """At each position the next `_WORD` codes as one number to base 5; beyond the end comes N."""
    padded = np.concatenate([codes, np.full(_WORD - 1, 4, np.uint8)]).astype(np.int16)
    words = np.zeros(len(codes), np.int16)
    for offset in range(_WORD):
        words = words * np.int16(5) + padded[offset : offset + len(codes)]
    # np.take is fastest with the platform's index type.
    return words.astype(np.intp)


def _score(
    words: Int64[np.ndarray, " position"], table: Int32[np.ndarray, "width 5"], starts: int
) -> Int32[np.ndarray, " start"]:
    """Sum of the `table` rows at the bases of each site, for sites that start at 0 to `starts - 1`."""
    total = np.zeros(starts, np.int32)
    for offset in range(0, len(table), _WORD):
        total += np.take(_word_scores(table[offset : offset + _WORD]), words[offset : offset + starts])
    return total


def _word_scores(rows: Int32[np.ndarray, "row 5"]) -> Int32[np.ndarray, " word"]:
    """The sum of `rows` (at most `_WORD` of them) at the bases of every word."""
    scores = np.zeros((5,) * _WORD, np.int32)
    for axis, row in enumerate(rows):
        scores += row.reshape([5 if other == axis else 1 for other in range(_WORD)])
    return scores.ravel()


def _reverse_complement(table: Int32[np.ndarray, "width 5"]) -> Int32[np.ndarray, "width 5"]:
    return table[::-1, [3, 2, 1, 0, 4]]


def _sorted_hits(
    found: list[tuple[int, int, Int64[np.ndarray, " hit"], Float64[np.ndarray, " hit"]]],
) -> Hits:
    counts = [len(place) for _, _, place, _ in found]
    motif = np.repeat(np.array([index for index, *_ in found], np.int64), counts)
    strand = np.repeat(np.array([strand for _, strand, *_ in found], np.int8), counts)
    centre = np.concatenate([place for _, _, place, _ in found] or [np.zeros(0, np.int64)])
    occupancy = np.concatenate([value for *_, value in found] or [np.zeros(0)])
    order = np.lexsort((strand, motif, centre))
    return Hits(motif, centre, strand, occupancy).where(order)
