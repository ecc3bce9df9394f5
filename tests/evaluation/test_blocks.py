"""Blocks are long enough, share no base, hold every bin, and follow the genome and not the windows."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.evaluation import divide_into_blocks, why_no_interval
from regact.evaluation.blocks import LEAST_BLOCK_BP, blocks_of
from regact.genome import Interval


def lengths(blocks):
    return [sum(part.length for part in block) for block in blocks]


def test_a_long_stretch_is_cut_into_equal_blocks():
    blocks = blocks_of([Interval("chr1", 1_000, 1_000 + 10_485_760)])
    assert lengths(blocks) == [524_288] * 20  # eight windows of 65,536 bp each, or four of 131,072
    assert blocks[1] == [Interval("chr1", 525_288, 1_049_576)]


def test_short_stretches_are_put_together_and_the_rest_joins_the_block_before():
    short = [Interval(f"c{i}", 0, 200_000) for i in range(7)]
    blocks = blocks_of([*short[:4], Interval("long", 0, 700_000), *short[4:]])
    assert [[part.chrom for part in block] for block in blocks] == [
        ["c0", "c1", "c2"],
        ["long"],
        ["c3", "c4", "c5", "c6"],
    ]
    assert lengths(blocks_of(short[:1])) == [200_000]  # too little for one: all there is


@given(st.lists(st.integers(1, 3_000_000), min_size=1, max_size=30))
def test_blocks_are_long_enough_and_lose_no_base(sizes):
    stretches = [Interval(f"c{i}", 17, 17 + size) for i, size in enumerate(sizes)]
    blocks = blocks_of(stretches)
    assert sum(lengths(blocks)) == sum(sizes)
    assert min(lengths(blocks)) >= min(LEAST_BLOCK_BP, sum(sizes))
    parts = sorted(part for block in blocks for part in block)
    for before, after in pairwise(parts):
        assert before.chrom != after.chrom or before.end == after.start
    assert {part.chrom for part in parts} == {stretch.chrom for stretch in stretches}


@pytest.mark.parametrize("crop_bins", [0, 16])
def test_overlapping_windows_give_the_same_bases_the_same_block(simulated_with_crop, monkeypatch, crop_bins):
    monkeypatch.setattr("regact.evaluation.blocks.LEAST_BLOCK_BP", 50_000)
    store = simulated_with_crop(crop_bins).store
    blocks = divide_into_blocks(store, "test")  # windows of 32,768 bp every 8,192 bp
    starts = store.windows["start"].to_numpy()[blocks.rows] + crop_bins * store.bin_bp
    block_at, in_two = {}, 0
    for window, start in enumerate(starts):
        for index, block in enumerate(blocks.of_bin[window]):
            assert block_at.setdefault(start + index * store.bin_bp, block) == block
        pieces = blocks.pieces(window)
        in_two += len(pieces) == 2
        assert [piece[1] for piece in pieces[1:]] == [piece[2] for piece in pieces[:-1]]
        assert (pieces[0][1], pieces[-1][2]) == (0, store.n_bins)
        for block, first, end in pieces:
            assert (blocks.of_bin[window, first:end] == block).all()
    covered = np.array(sorted(block_at))
    assert len(blocks) == (covered[-1] + store.bin_bp - covered[0]) // 50_000
    assert in_two >= len(blocks) - 1
    assert (np.diff([block_at[place] for place in covered]) >= 0).all()
    assert blocks.lengths_bp.sum() == len(block_at) * store.bin_bp
    assert blocks.lengths_bp.min() >= 50_000


def test_too_few_blocks_are_told():
    assert why_no_interval(20) == ""
    assert why_no_interval(19) == "19 blocks of 500 kb or more with unmasked bins, needed 20"
