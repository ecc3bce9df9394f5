"""How many distinct molecules a library has, told from how often reads repeat each other."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Int64
from scipy.optimize import brentq

from regact.reads.alignments import Alignments

Told = Literal["flags", "fragments", "five_primes"]


@dataclass(frozen=True)
class LibraryComplexity:
    """Repeated reads of one sample, over reads with one place in the genome.

    Attributes:
        told_by: What makes two reads duplicates: the duplicate marker's flag, the same start, end and strand of a
            pair's fragment, or the same 5' end and strand of a single-end read. Different molecules often share a 5'
            end in tall peaks, so the last is a lower bound.
        examined: Reads, duplicates among them.
        distinct: Reads without their duplicates.
        once: Places (start, end, strand) with exactly one read; None where flags tell.
        twice: Those with exactly two.
        one_place_molecules: Distinct molecules in the library, sequenced or not, whose reads have one place; None where
            no read repeats another.
        molecules: The same of all reads, those with several places taken to be repeated as often.
    """

    told_by: Told
    examined: int
    distinct: int
    once: int | None
    twice: int | None
    one_place_molecules: float | None
    molecules: float | None

    @property
    def distinct_share(self) -> float:
        """ENCODE's non-redundant fraction (NRF): distinct reads of all reads examined."""
        return self.distinct / self.examined if self.examined else 1.0

    @property
    def pbc1(self) -> float | None:
        """ENCODE's PCR bottlenecking coefficient 1: places with one read of all places with reads."""
        return None if self.once is None or not self.distinct else self.once / self.distinct

    @property
    def pbc2(self) -> float | None:
        """ENCODE's PCR bottlenecking coefficient 2: places with one read by those with two; None without these."""
        return None if self.once is None or not self.twice else self.once / self.twice


def library_complexity(
    alignments: Alignments,
    *,
    flagged: int = 0,
    by_fragment: bool,
    chosen: Bool[np.ndarray, " read"] | None = None,
) -> LibraryComplexity:
    """Repeated reads and the molecules that they tell of.

    Args:
        alignments: All reads that count. Those with several places are left out here, and taken to be amplified as
            the others are.
        flagged: Reads that a duplicate marker flagged and that were left out of `alignments`: where there are any, the
            flags are believed.
        by_fragment: Whether `start` and `length` are those of the molecule (pairs), so that both ends must agree.
        chosen: The reads that stand for a molecule, such as read 1 where mates count by themselves; all without it.
    """
    chosen = np.ones(alignments.n_reads, np.bool_) if chosen is None else chosen
    n_molecules = int(chosen.sum())
    flagged = round(flagged * n_molecules / max(alignments.n_reads, 1))
    single = np.flatnonzero((np.diff(alignments.offsets) == 1) & chosen)
    share = len(single) / max(n_molecules, 1)
    told: Told
    if flagged:
        # Flagged reads were left out before their places were counted: they are taken to have one as often as others.
        told, examined, distinct, once, twice = "flags", len(single) + round(flagged * share), len(single), None, None
    else:
        counts = _reads_per_place(alignments, alignments.offsets[:-1][single], by_fragment=by_fragment)
        told, examined, distinct = "fragments" if by_fragment else "five_primes", len(single), len(counts)
        once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    molecules = library_molecules(examined, distinct)
    return LibraryComplexity(
        told, examined, distinct, once, twice, molecules, None if molecules is None else molecules / share
    )


def library_molecules(examined: int, distinct: int) -> float | None:
    """The X that solves distinct = X (1 - exp(-examined / X)); None without duplicates, for then any large X fits.

    Lander and Waterman's (1988) equation for reads drawn with replacement from X equally frequent molecules, as
    Picard's EstimateLibraryComplexity solves it.

    Raises: ValueError unless 0 <= distinct <= examined.
    """
    if not 0 <= distinct <= examined:
        raise ValueError(f"{distinct} distinct of {examined} reads; needed 0 <= distinct <= examined")
    if distinct in (0, examined):
        return None

    def missing(load: float) -> float:  # load = examined / X, the mean number of reads of a molecule
        return -np.expm1(-load) / load - distinct / examined

    # -expm1(-x) / x lies between 1 - x / 2 and 1 / x: so the load lies between these two.
    least, most = 2 * (1 - distinct / examined), examined / distinct
    return float(examined / brentq(missing, least * (1 - 1e-9), most * (1 + 1e-9), xtol=1e-15))


def distinct_at_depth(molecules: float, reads: Int64[np.ndarray, " depth"] | np.ndarray) -> np.ndarray:
    """Distinct reads expected among so many: X (1 - exp(-reads / X))."""
    return -molecules * np.expm1(-np.asarray(reads, np.float64) / molecules)


def _reads_per_place(
    alignments: Alignments, rows: Int64[np.ndarray, " read"], *, by_fragment: bool
) -> Int64[np.ndarray, " place"]:
    """How many reads each distinct place of `rows` has."""
    start, length = alignments.start[rows], alignments.length[rows].astype(np.int64)
    forward = alignments.strand[rows] > 0
    five_prime = np.where(forward, start, start + length - 1)
    columns = [start, length, forward] if by_fragment else [five_prime, forward]
    order = np.lexsort(columns)
    is_new = np.zeros(len(rows), np.bool_)
    is_new[:1] = True
    for column in columns:
        is_new[1:] |= np.diff(column[order].astype(np.int64)) != 0
    return np.diff(np.append(np.flatnonzero(is_new), len(rows)))
