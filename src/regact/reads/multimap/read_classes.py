"""Reads that have the same places taken together: a class and how many reads it has.

Reads of one class are placed alike, so that a method that works on classes does the work of one read for all of them
(in ribosomal DNA, thousands). Classes stand in an order that follows from their places alone, which makes sums over
them the same, to the last bit, in whatever order the reads came.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64, UInt32, UInt64

from regact.reads.compiled import compiled


@dataclass(frozen=True, eq=False)
class ReadClasses:
    """Classes of reads with more than one place, ordered by their first place.

    Attributes:
        sites: The distinct places of all these reads, ascending.
        offsets: The entries of class k are [offsets[k], offsets[k+1]): one for each alignment of its reads, ascending.
        site: Where an entry lies: its index in `sites`.
        likelihood: What an entry's likelihood is to that of the other entries of its class.
        count: Reads of each class.
        class_of: Class of each read, in the order in which the reads came.
        rank: For each alignment, in the order in which they came: which of its class's entries it is.
    """

    sites: Int64[np.ndarray, " site"]
    offsets: Int64[np.ndarray, " class+1"]
    site: UInt32[np.ndarray, " entry"]
    likelihood: Float32[np.ndarray, " entry"]
    count: Int64[np.ndarray, " class"]
    class_of: Int64[np.ndarray, " read"]
    rank: Int32[np.ndarray, " alignment"]

    @property
    def n_reads(self) -> int:
        """Reads in all classes."""
        return len(self.class_of)

    def of_alignments(self, values: Float32[np.ndarray, " entry"]) -> Float32[np.ndarray, " alignment"]:
        """The values of classes' entries for the alignments of the reads, in the order in which they came."""
        return _of_alignments(self.offsets, self.class_of, self.rank, values)


def group_reads(
    n_places: Int64[np.ndarray, " read"],
    places: Int64[np.ndarray, " alignment"],
    likelihood: Float32[np.ndarray, " alignment"],
) -> ReadClasses:
    """Classes of reads with the same places and likelihoods.

    Args:
        n_places: Alignments of each read, >= 1.
        places: Genome-wide coordinates of the alignments, one read after the other.
        likelihood: Of each alignment, finite; compared for equality.
    """
    sites, found = np.unique(places, return_inverse=True)
    offsets = np.concatenate([[0], np.cumsum(n_places)])
    site, likelihood = found.astype(np.uint32), likelihood.copy()
    rank = _sort_rows(offsets, site, likelihood)
    # Equal rows come next to each other; a hash puts all rows of a first place in an order of their own.
    order = np.lexsort((_row_hashes(offsets, site, likelihood), site[offsets[:-1]]))
    is_new = _differs_from_previous(order, offsets, site, likelihood)
    class_of = np.empty(len(order), np.int64)
    class_of[order] = np.cumsum(is_new) - 1
    first_read = order[is_new]
    lengths = n_places[first_read]
    class_offsets = np.concatenate([[0], np.cumsum(lengths)])
    entries = np.repeat(offsets[first_read] - class_offsets[:-1], lengths) + np.arange(class_offsets[-1])
    return ReadClasses(
        sites=sites,
        offsets=class_offsets,
        site=site[entries],
        likelihood=likelihood[entries],
        count=np.bincount(class_of, minlength=len(first_read)),
        class_of=class_of,
        rank=rank,
    )


@compiled
def _sort_rows(
    offsets: Int64[np.ndarray, " read+1"],
    site: UInt32[np.ndarray, " alignment"],
    likelihood: Float32[np.ndarray, " alignment"],
) -> Int32[np.ndarray, " alignment"]:
    """Sort each read's alignments by site and likelihood, in place; the new position of each within its read."""
    order = np.empty(len(site), np.int32)
    rank = np.empty(len(site), np.int32)
    for read in range(len(offsets) - 1):
        start = offsets[read]
        # Insertion: rows are short, and an aligner's -k bounds them.
        for number in range(offsets[read + 1] - start):
            new_site, new_likelihood = site[start + number], likelihood[start + number]
            free = start + number
            while free > start and (
                site[free - 1] > new_site or (site[free - 1] == new_site and likelihood[free - 1] > new_likelihood)
            ):
                site[free], likelihood[free], order[free] = site[free - 1], likelihood[free - 1], order[free - 1]
                free -= 1
            site[free], likelihood[free], order[free] = new_site, new_likelihood, number
        for number in range(offsets[read + 1] - start):
            rank[start + order[start + number]] = number
    return rank


@compiled
def _row_hashes(
    offsets: Int64[np.ndarray, " read+1"],
    site: UInt32[np.ndarray, " alignment"],
    likelihood: Float32[np.ndarray, " alignment"],
) -> UInt64[np.ndarray, " read"]:
    """A number of 64 bits that follows from a row's length and contents (splitmix64's finaliser, chained)."""
    bits = likelihood.view(np.uint32)
    hashes = np.empty(len(offsets) - 1, np.uint64)
    for read in range(len(hashes)):
        word = np.uint64(offsets[read + 1] - offsets[read])
        for entry in range(offsets[read], offsets[read + 1]):
            word ^= (np.uint64(site[entry]) << np.uint64(32)) | np.uint64(bits[entry])
            word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            word ^= word >> np.uint64(31)
        hashes[read] = word
    return hashes


@compiled
def _differs_from_previous(
    order: Int64[np.ndarray, " read"],
    offsets: Int64[np.ndarray, " read+1"],
    site: UInt32[np.ndarray, " alignment"],
    likelihood: Float32[np.ndarray, " alignment"],
) -> Bool[np.ndarray, " read"]:
    """For the reads in `order`: whether the places or likelihoods are others than those of the read before."""
    differs = np.ones(len(order), np.bool_)
    for number in range(1, len(order)):
        this, before = offsets[order[number]], offsets[order[number - 1]]
        length = offsets[order[number] + 1] - this
        if length != offsets[order[number - 1] + 1] - before:
            continue
        same = 0
        while (
            same < length
            and site[this + same] == site[before + same]
            and likelihood[this + same] == likelihood[before + same]
        ):
            same += 1
        differs[number] = same < length
    return differs


@compiled
def _of_alignments(
    offsets: Int64[np.ndarray, " class+1"],
    class_of: Int64[np.ndarray, " read"],
    rank: Int32[np.ndarray, " alignment"],
    values: Float32[np.ndarray, " entry"],
) -> Float32[np.ndarray, " alignment"]:
    spread = np.empty(len(rank), values.dtype)
    alignment = 0
    for read in range(len(class_of)):
        first = offsets[class_of[read]]
        for _ in range(offsets[class_of[read] + 1] - first):
            spread[alignment] = values[first + rank[alignment]]
            alignment += 1
    return spread
