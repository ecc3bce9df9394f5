"""How the HDF5 of 2018 is cut for reading: along the chunks that it is packed in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.dataset.basenji import BasenjiH5Source, hdf5, surveys
from regact.dataset.basenji.hdf5 import _blocks, read_layout, read_rows
from regact.dataset.basenji.surveys import survey_h5

LABELS = ("train",) * 13 + ("valid",) * 7 + ("test",) * 4


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 20), st.integers(1, 20))
def test_blocks_are_all_rows_in_order_and_never_of_two_chunks(start, length, chunk, block):
    rows, block = range(start, start + length), min(block, chunk)
    blocks = list(_blocks(rows, chunk, block))
    assert [row for one in blocks for row in range(one.start, one.stop)] == list(rows)
    for one in blocks:
        assert 0 < one.stop - one.start <= block
        assert one.start // chunk == (one.stop - 1) // chunk


@pytest.mark.parametrize(("at_once", "block"), [(2**28, 5), (5 * 8 * 3 * 2 - 1, 3)])
def test_no_chunk_is_unpacked_by_two_parts(write_h5, tmp_path, monkeypatch, at_once, block):
    """Chunks of five rows, in parts of about eight; where memory is short a chunk is read in two pieces."""
    monkeypatch.setattr(hdf5, "BLOCK_BYTES", at_once)
    monkeypatch.setattr(surveys, "_WINDOWS_PER_PART", 8)
    made = write_h5(tmp_path, labels=LABELS, chunks=(5, 8, 1))
    layout = read_layout(tmp_path / "l131k_w128.h5")
    assert layout.chunk_rows == {"train": 5, "valid": 5, "test": 4}
    assert layout.block_rows["train"] == block
    parts = survey_h5(BasenjiH5Source(file=layout.path, bed=tmp_path / "l131k_w128.bed")).parts
    assert [(part.first, part.n_windows) for part in parts] == [
        (0, 5),
        (5, 5),
        (10, 3),
        (13, 5),
        (18, 2),
        (20, 4),
    ]
    order = [i for split in ("train", "valid", "test") for i, label in enumerate(made.label) if label == split]
    found = [window.targets for part in parts for window in part.read()]
    np.testing.assert_array_equal(found, made.targets[order])


def test_rows_within_a_chunk_can_be_read(write_h5, tmp_path):
    made = write_h5(tmp_path, labels=LABELS, chunks=(5, 8, 3))
    windows = list(read_rows(tmp_path / "l131k_w128.h5", "train", range(3, 11), 5, 5))
    assert [window.where.rsplit(" ", 1)[1] for window in windows] == [str(row) for row in range(3, 11)]
    np.testing.assert_array_equal([window.targets for window in windows], made.targets[3:11])
