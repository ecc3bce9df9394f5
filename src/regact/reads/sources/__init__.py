"""Files of reads, and what they say: which records are reads, their fates, and the places of those that count.

BAM, CRAM, SAM and fragment files all end in `ReadPlaces`, and `count_places` makes `Alignments` of these. May import
the files of `reads` itself, and what these may.
"""

from regact.reads.sources.bam_reads import read_bam
from regact.reads.sources.counted_places import count_places
from regact.reads.sources.fates import Fates
from regact.reads.sources.fragment_length import FragmentLength, estimate_fragment_bp
from regact.reads.sources.read_places import ReadPlaces

__all__ = [
    "Fates",
    "FragmentLength",
    "ReadPlaces",
    "count_places",
    "estimate_fragment_bp",
    "read_bam",
]
