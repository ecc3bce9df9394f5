"""Coordinates in which the strands do not see each other."""

import numpy as np
from jaxtyping import Int64

from regact.reads.alignments import Alignments
from regact.reads.layout import GenomeLayout


def strand_coordinates(
    alignments: Alignments, layout: GenomeLayout, *, stranded: bool
) -> tuple[Int64[np.ndarray, " alignment"], Int64[np.ndarray, " contig+1"]]:
    """The alignments' places, and the borders of contigs.

    Where strands count apart they are two genomes, one behind the other: places on the reverse strand lie behind the
    last contig of the forward strand, and every contig has its borders twice.

    Raises: ValueError where a place lies outside the layout.
    """
    if len(alignments) and not 0 <= alignments.place.min() <= alignments.place.max() < layout.total_bp:
        raise ValueError(f"places {alignments.place.min()} to {alignments.place.max()} in {layout.total_bp} bases")
    if not stranded:
        return alignments.place, layout.offsets
    coordinates = alignments.place + np.where(alignments.strand < 0, layout.total_bp, 0)
    return coordinates, np.concatenate([layout.offsets, layout.offsets[1:] + layout.total_bp])
