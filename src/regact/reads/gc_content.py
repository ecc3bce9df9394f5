"""The share of G and C in stretches of the genome; the case of letters does not matter."""

import numpy as np
from jaxtyping import Float32, Int, Int64, UInt8

from regact.genome import Genome
from regact.reads.alignments import Alignments
from regact.reads.compiled import compiled
from regact.reads.layout import GenomeLayout


def gc_shares(
    genome: Genome, layout: GenomeLayout, starts: Int64[np.ndarray, " stretch"], lengths: Int[np.ndarray, " stretch"]
) -> Float32[np.ndarray, " stretch"]:
    """Share of G and C among a stretch's known bases; NaN where it has none.

    Args:
        starts: Genome-wide; a stretch lies within one contig.
        lengths: Bases of each stretch.

    Raises: ValueError where a stretch does not lie within one contig.
    """
    shares = np.empty(len(starts), np.float32)
    # In the order of the genome, whose codes are mapped from the disk.
    order = np.argsort(starts, kind="stable")
    bounds = np.searchsorted(starts, layout.offsets, sorter=order)
    if len(starts) and (bounds[0] > 0 or bounds[-1] < len(starts)):
        raise ValueError(f"stretches start at {starts.min()} to {starts.max()} in {layout.total_bp} bases")
    for contig, name in enumerate(layout.names):
        mine = order[bounds[contig] : bounds[contig + 1]]
        if not len(mine):
            continue
        inside = starts[mine] - layout.offsets[contig]
        if (lengths[mine] < 0).any() or (inside + lengths[mine] > layout.lengths[contig]).any():
            raise ValueError(f"stretches reach beyond the end of {name}, or have a negative length")
        shares[mine] = _gc_shares(genome.contig(name), inside, lengths[mine])
    return shares


def fragment_gc(genome: Genome, layout: GenomeLayout, alignments: Alignments) -> Float32[np.ndarray, " alignment"]:
    """Share of G and C over the bases of each alignment's fragment."""
    return gc_shares(genome, layout, alignments.start, alignments.length)


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
