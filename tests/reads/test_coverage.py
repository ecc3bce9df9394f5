"""Weighted places to bigWig: against a dense sum, mass kept, order forgotten."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.reads import Alignments, GenomeLayout, coverage_intervals, write_coverage
from regact.tracks import open_signal

LAYOUT = GenomeLayout.from_lengths({"a": 50, "empty": 7, "b": 30})


def draw(rng, n):
    """Alignments of n reads with 1 to 3 places, and weights that add up to 1 for each."""
    sizes = rng.integers(1, 4, n)
    total = int(sizes.sum())
    contig = rng.choice([0, 2], total)
    length = rng.integers(1, 12, total)
    start = LAYOUT.offsets[contig] + rng.integers(0, np.array(LAYOUT.lengths)[contig] - length + 1)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    shares = rng.random(total)
    weight = (shares / np.repeat(np.add.reduceat(shares, offsets[:-1]), sizes)).astype(np.float32)
    strand = rng.choice([1, -1], total).astype(np.int8)
    place = start + length // 2
    return Alignments(offsets, place, start, length.astype(np.int32), strand), weight


def dense(chunks):
    values = np.zeros(LAYOUT.total_bp)
    for name, starts, ends, heights in chunks:
        offset = LAYOUT.offsets[LAYOUT.names.index(name)]
        assert (starts[1:] >= ends[:-1]).all()
        assert (heights != 0).all()
        for start, end, height in zip(starts, ends, heights, strict=True):
            values[offset + start : offset + end] = height
    return values


@given(seed=st.integers(0, 2**32 - 1), whole=st.booleans(), n=st.integers(1, 60))
def test_it_is_the_sum_over_places(seed, whole, n):
    alignments, weight = draw(np.random.default_rng(seed), n)
    expected = np.zeros(LAYOUT.total_bp)
    for place, start, length, share in zip(
        alignments.place, alignments.start, alignments.length, weight.astype(float), strict=True
    ):
        expected[start : start + length] += share if whole else 0
        expected[place] += 0 if whole else share
    found = dense(coverage_intervals(alignments, weight, LAYOUT, whole_fragment=whole))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    if not whole:
        assert found.sum() == pytest.approx(n, rel=1e-6)  # each read counts as one


@given(seed=st.integers(0, 2**32 - 1), whole=st.booleans())
def test_the_order_of_reads_leaves_no_trace(seed, whole):
    rng = np.random.default_rng(seed)
    alignments, weight = draw(rng, 50)
    order = rng.permutation(len(alignments))
    offsets = np.arange(len(alignments) + 1)
    turned = Alignments(
        offsets, alignments.place[order], alignments.start[order], alignments.length[order], alignments.strand[order]
    )
    one = dense(coverage_intervals(alignments, weight, LAYOUT, whole_fragment=whole))
    other = dense(coverage_intervals(turned, weight[order], LAYOUT, whole_fragment=whole))
    np.testing.assert_array_equal(one, other)


def test_strands_go_to_files_of_their_own(tmp_path):
    alignments, weight = draw(np.random.default_rng(7), 40)
    total = 0.0
    for strand in (1, -1):
        path = tmp_path / f"{strand}.bw"
        write_coverage(path, alignments, weight, LAYOUT, chosen=alignments.strand == strand)
        signal = open_signal(path)
        expected = np.bincount(alignments.place, weights=weight * (alignments.strand == strand), minlength=87)
        values = [np.nan_to_num(signal.base_values(c, 0, n)) for c, n in (("a", 50), ("empty", 7), ("b", 30))]
        signal.close()
        np.testing.assert_allclose(np.concatenate(values), expected, rtol=1e-6, atol=1e-7)
        total += sum(part.sum() for part in values)
    assert total == pytest.approx(40, rel=1e-6)


def test_no_read_on_a_strand_gives_a_file_of_zeros(tmp_path):
    alignments, weight = draw(np.random.default_rng(7), 4)
    write_coverage(tmp_path / "x.bw", alignments, weight, LAYOUT, chosen=np.zeros(len(alignments), bool))
    signal = open_signal(tmp_path / "x.bw")
    assert np.nan_to_num(signal.base_values("a", 0, 50)).sum() == 0
    signal.close()
