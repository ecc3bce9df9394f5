"""Reads to alignments by Bowtie2: FASTQ looked through, the genome's index, the programs themselves.

May import the files of `reads` itself, and what these may.
"""

from regact.reads.bowtie2.aligner import AlignedSample, align_reads

__all__ = [
    "AlignedSample",
    "align_reads",
]
