"""Coverage held against a known rate: what tests and benchmarks on simulated reads compare.

May import the files of `reads` itself, and what these may.
"""

from regact.reads.truth.repeat_error import compare_errors, family_errors
from regact.reads.truth.repeat_families import families_of_bins

__all__ = ["compare_errors", "families_of_bins", "family_errors"]
