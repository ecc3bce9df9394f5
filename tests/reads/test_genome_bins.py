"""Bins along all contigs: weights and signals against loops over bases."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from regact.reads import GenomeLayout
from regact.reads.genome_bins import GenomeBins
from regact.tracks import open_signal, write_bigwig

LENGTHS = {"a": 37, "short": 9, "b": 20}
BINS = GenomeBins(GenomeLayout.from_lengths(LENGTHS), 10)


def bin_of(place: int) -> int | None:
    """Contigs have 3, 0 and 2 whole bins."""
    if place < 30:
        return place // 10
    return 3 + (place - 46) // 10 if place >= 46 else None


@given(st.lists(st.tuples(st.integers(0, 65), st.floats(0, 1, width=32))))
def test_weights_are_added_up_where_the_counted_base_lies(rows):
    place = np.array([place for place, _ in rows], np.int64)
    weight = np.array([weight for _, weight in rows], np.float32)
    expected = np.zeros(5)
    for one, value in rows:
        if (number := bin_of(one)) is not None:
            expected[number] += value
    np.testing.assert_allclose(BINS.sums(place, weight), expected, atol=1e-9)
    assert len(BINS) == 5
    assert BINS.starts.tolist() == [0, 10, 20, 46, 56]


def test_sums_of_a_signal(tmp_path):
    values = {chrom: np.arange(length, dtype=np.float32) for chrom, length in LENGTHS.items()}
    write_bigwig(tmp_path / "x.bw", LENGTHS, ((chrom, 0, some) for chrom, some in values.items()), span=1)
    assert BINS.sums_of(open_signal(tmp_path / "x.bw")).tolist() == [45, 145, 245, 45, 145]
