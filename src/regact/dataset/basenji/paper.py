"""What the paper says of its data, to hold a file against."""

from collections import Counter
from collections.abc import Sequence

from regact.dataset.basenji.hdf5 import Hdf5Layout

PAPER_ASSAYS = {"CAGE": 973, "DNASE": 949, "CHIP": 2_307}  # section 4.1
PAPER_SEQUENCES, PAPER_BINS, PAPER_BIN_BP = 14_533, 1_024, 128


def describe_differences(layout: Hdf5Layout, assays: Sequence[str]) -> list[str]:
    """A sentence for each number in which the file is not the paper's data; none where it is.

    `assays` are those of its tracks, by the labels of the file or of its samples.
    """
    counts = Counter(assays)
    found = {
        **{f"{assay} tracks": (counts.get(assay, 0), count) for assay, count in PAPER_ASSAYS.items()},
        "tracks in all": (len(assays), sum(PAPER_ASSAYS.values())),
        "sequences": (sum(layout.counts.values()), PAPER_SEQUENCES),
        "bins": (layout.n_bins, PAPER_BINS),
        "bp a bin": (layout.bin_bp, PAPER_BIN_BP),
    }
    return [
        f"not the paper's data: {have:,} {what}; the paper has {paper:,}"
        for what, (have, paper) in found.items()
        if have != paper
    ]
