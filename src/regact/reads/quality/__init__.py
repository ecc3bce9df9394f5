"""The quality of a sample in numbers and in sentences; its page is made in `report`.

May import `sources`, `multimap` and `gc_bias`.
"""

from regact.reads.quality.description import describe_reads
from regact.reads.quality.qc import ReadsQc
from regact.reads.quality.remarks import find_remarks

__all__ = [
    "ReadsQc",
    "describe_reads",
    "find_remarks",
]
