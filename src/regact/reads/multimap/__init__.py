"""Reads with several places shared out among them, by EM or its yardsticks; towers cut.

May import the files of `reads` itself, and what these may; knows nothing of files or of GC.
"""

from regact.reads.multimap.em import Placement, place_reads
from regact.reads.multimap.sharing import share_reads

__all__ = [
    "Placement",
    "place_reads",
    "share_reads",
]
