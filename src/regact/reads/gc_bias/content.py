"""The share of G and C in stretches of the genome; the case of letters does not matter."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float32, Float64, Int, Int8, Int64, UInt8

from regact.genome import Genome
from regact.reads.alignments import Alignments
from regact.reads.compiled import compiled
from regact.reads.layout import GenomeLayout

# Standard deviation of fragment lengths over their mean; whether a sixth or a third, the correction stays the same.
LENGTH_SPREAD = 0.2
# Bases that are mapped before they are given back: memory follows them, not the genome.
_BASES_AT_ONCE = 2**26


def gc_shares(
    genome: Genome, layout: GenomeLayout, starts: Int64[np.ndarray, " stretch"], lengths: Int[np.ndarray, " stretch"]
) -> Float32[np.ndarray, " stretch"]:
    """Share of G and C among a stretch's known bases; NaN where it has none.

    Args:
        starts: Genome-wide; a stretch lies within one contig.
        lengths: Bases of each stretch.

    Raises: ValueError where a stretch does not lie within one contig.
    """
    if len(starts) and not 0 <= starts.min() <= starts.max() < layout.total_bp:
        raise ValueError(f"stretches start at {starts.min()} to {starts.max()} in {layout.total_bp} bases")
    shares = np.empty(len(starts), np.float32)
    for codes, offset, mine in _in_genome_order(genome, layout, starts):
        inside = starts[mine] - offset
        if (lengths[mine] < 0).any() or (inside + lengths[mine] > len(codes)).any():
            raise ValueError("stretches reach beyond the end of their contig, or have a negative length")
        shares[mine] = _gc_shares(codes, inside, lengths[mine])
    return shares


def fragment_gc(genome: Genome, layout: GenomeLayout, alignments: Alignments) -> Float32[np.ndarray, " alignment"]:
    """Share of G and C over the bases of each alignment's fragment.

    A single-end read shows one end of its fragment: its share is the mean over the lengths that the fragment may have
    (`length_taper`), each from the read's 5' end. One length for all leaves bias behind, for bases that few fragments
    reach would count as much as those in every one.
    """
    extended = alignments.extended
    if extended is None or not extended.any():
        return gc_shares(genome, layout, alignments.start, alignments.length)
    shares = np.empty(len(alignments), np.float32)
    own = np.flatnonzero(~extended)
    shares[own] = gc_shares(genome, layout, alignments.start[own], alignments.length[own])
    start, length, strand = (column[extended] for column in (alignments.start, alignments.length, alignments.strand))
    # A contig's end may have cut some off.
    taper = length_taper(int(length.max()))
    first_base = np.where(strand > 0, start, start + length - 1)
    one_ended = np.empty(len(start), np.float32)
    for codes, offset, mine in _in_genome_order(genome, layout, start):
        one_ended[mine] = _tapered_gc_shares(codes, first_base[mine] - offset, strand[mine], taper)
    shares[extended] = one_ended
    return shares


def _in_genome_order(
    genome: Genome, layout: GenomeLayout, places: Int64[np.ndarray, " place"]
) -> Iterator[tuple[UInt8[np.ndarray, " position"], int, Int64[np.ndarray, " mine"]]]:
    """Rows of `places` from one end of the genome to the other, with their contig's codes and where it begins.

    The codes are mapped from the disk; what was looked at is given back before the next rows come.
    """
    order = np.argsort(places, kind="stable")
    blocks = list(layout.blocks(_BASES_AT_ONCE))
    bounds = np.searchsorted(places, [block.start for block in blocks] + [layout.total_bp], sorter=order)
    for number in np.flatnonzero(np.diff(bounds)):
        contig = blocks[number].contig
        yield genome.contig(layout.names[contig]), layout.offsets[contig], order[bounds[number] : bounds[number + 1]]
        genome.release()


def length_taper(length_bp: int) -> Float64[np.ndarray, " distance"]:
    """How much the base at each distance from a 5' end counts for the GC of a fragment whose length is not known.

    Lengths are normal around `length_bp` with a standard deviation of LENGTH_SPREAD of it, cut off at 2.5 of those; a
    base counts for 1 / length in every length that reaches it. The sum is 1.
    """
    sd_bp = LENGTH_SPREAD * length_bp
    lengths = np.arange(max(1, int(length_bp - 2.5 * sd_bp)), int(length_bp + 2.5 * sd_bp) + 1)
    chance = np.exp(-(((lengths - length_bp) / max(sd_bp, 1e-9)) ** 2) / 2)
    per_base = np.zeros(lengths[-1] + 1)
    per_base[lengths] = chance / chance.sum() / lengths
    return np.cumsum(per_base[::-1])[::-1][1:]


@compiled
def _gc_shares(
    codes: UInt8[np.ndarray, " position"], starts: Int64[np.ndarray, " stretch"], lengths: Int[np.ndarray, " stretch"]
) -> Float32[np.ndarray, " stretch"]:
    shares = np.empty(len(starts), np.float32)
    for stretch in range(len(starts)):
        gc, known = 0, 0
        for position in range(starts[stretch], starts[stretch] + lengths[stretch]):
            code = codes[position]
            gc += (code == 1) | (code == 2)
            known += code < 4
        shares[stretch] = gc / known if known else np.nan
    return shares


@compiled
def _tapered_gc_shares(
    codes: UInt8[np.ndarray, " position"],
    first_base: Int64[np.ndarray, " read"],
    strand: Int8[np.ndarray, " read"],
    taper: Float64[np.ndarray, " distance"],
) -> Float32[np.ndarray, " read"]:
    """Weighted share of G and C among the known bases from each first base on, in the strand's direction."""
    shares = np.empty(len(first_base), np.float32)
    for read in range(len(first_base)):
        gc, known = 0.0, 0.0
        for distance in range(len(taper)):
            position = first_base[read] + strand[read] * distance
            if 0 <= position < len(codes) and codes[position] < 4:
                known += taper[distance]
                if codes[position] == 1 or codes[position] == 2:
                    gc += taper[distance]
        shares[read] = gc / known if known else np.nan
    return shares
