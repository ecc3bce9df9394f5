"""Coverage held against a known rate: what tests and benchmarks on simulated reads compare.

May import the files of `reads` itself, and what these may.
"""

from regact.reads.truth.genome_bins import GenomeBins
from regact.reads.truth.repeat_error import compare_errors, family_errors

__all__ = [
    "GenomeBins",
    "compare_errors",
    "family_errors",
]
