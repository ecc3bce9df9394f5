"""The genome as one line of coordinates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.reads import GenomeLayout


@given(lengths=st.lists(st.integers(0, 40), min_size=1, max_size=8).filter(sum), block_bp=st.integers(1, 50))
def test_places_contigs_and_blocks(lengths, block_bp):
    layout = GenomeLayout.from_lengths({f"c{n}": length for n, length in enumerate(lengths)})
    expected = np.repeat(np.arange(len(lengths)), lengths)
    np.testing.assert_array_equal(layout.contig_of(np.arange(layout.total_bp)), expected)
    blocks = list(layout.blocks(block_bp))
    np.testing.assert_array_equal(np.concatenate([np.arange(b.start, b.end) for b in blocks]), np.arange(sum(lengths)))
    for block in blocks:
        assert 0 < block.end - block.start <= block_bp
        assert layout.offsets[block.contig] <= block.start < block.end <= layout.offsets[block.contig + 1]


def test_wrong_arguments():
    with pytest.raises(ValueError, match="at least one contig"):
        GenomeLayout.from_lengths({})
    with pytest.raises(ValueError, match="block_bp is 0"):
        list(GenomeLayout.from_lengths({"a": 1}).blocks(0))
