"""GC bias: measured in windows that can be trusted, a smooth curve through it, taken out of every fragment's weight.

May import the files of `reads` itself, and what these may; knows nothing of files or of multi-mapped reads.
"""

from regact.reads.gc_bias.content import fragment_gc
from regact.reads.gc_bias.fit import GcModel, fit_gc
from regact.reads.gc_bias.gc_profile import GcProfile, count_by_gc

__all__ = [
    "GcModel",
    "GcProfile",
    "count_by_gc",
    "fit_gc",
    "fragment_gc",
]
