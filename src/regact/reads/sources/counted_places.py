"""From the places of reads to alignments: which base of each place is counted."""

import numpy as np

from regact.reads.alignments import Alignments
from regact.reads.layout import GenomeLayout
from regact.reads.presets import CoverageSettings
from regact.reads.sources.read_places import ReadPlaces
from regact.reads.sources.rows import OWN_LENGTH


def count_places(
    reads: ReadPlaces, layout: GenomeLayout, settings: CoverageSettings, *, fragment_bp: int | None = None
) -> Alignments:
    """Alignments with the base that `settings.count` counts.

    Args:
        fragment_bp: Length to which reads without a length of their own (single-end, or mates by themselves) are
            extended from their 5' end; without it they keep their aligned length.
    """
    rows = reads.rows
    strand = rows["strand"].astype(np.int8)
    start, length = rows["start"].astype(np.int64), rows["length"].astype(np.int64)
    extended = None
    if fragment_bp is not None:
        extended = rows["kind"] & OWN_LENGTH == 0
        start = np.where(extended & (strand < 0), start + length - fragment_bp, start)
        length = np.where(extended, fragment_bp, length)
    contig = layout.contig_of(rows["start"])
    first, last = layout.offsets[contig], layout.offsets[contig + 1]
    end = np.minimum(start + length, last)
    start = np.maximum(start, first)
    if settings.count == "five_prime":
        place = np.where(strand > 0, start + settings.shift_forward_bp, end - 1 + settings.shift_reverse_bp)
        place = np.clip(place, first, last - 1)
    else:
        place = start + (end - start) // 2
    length = (end - start).astype(np.int32)
    return Alignments(reads.offsets, place, start, length, strand, rows["differences"], extended)
