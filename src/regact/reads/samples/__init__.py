"""One sample, or a sheet of them, from files of reads to bigWig, cards and tables.

May import all other folders of `reads`.
"""

from regact.reads.samples.cohort import CohortCoverage, cover_samples
from regact.reads.samples.outputs import SampleCoverage
from regact.reads.samples.sample import cover_sample
from regact.reads.samples.sheet import SheetRow, read_sample_sheet

__all__ = [
    "CohortCoverage",
    "SampleCoverage",
    "SheetRow",
    "cover_sample",
    "cover_samples",
    "read_sample_sheet",
]
