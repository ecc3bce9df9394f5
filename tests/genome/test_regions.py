import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.genome import Interval, Regions

SPAN = 120
intervals = st.builds(
    lambda chrom, start, length: Interval(chrom, start, min(start + length, SPAN)),
    st.sampled_from(["a", "b"]),
    st.integers(0, SPAN),
    st.integers(0, 30),
)
lists = st.lists(intervals, max_size=12)


def per_base(rows: list[Interval], chrom: str) -> np.ndarray:
    """The independent reference: one flag a base."""
    flags = np.zeros(SPAN, bool)
    for row in rows:
        if row.chrom == chrom:
            flags[row.start : row.end] = True
    return flags


def flags_of(regions: Regions, chrom: str) -> np.ndarray:
    return per_base(list(regions), chrom)


@given(lists, intervals)
def test_all_answers_are_those_of_one_flag_a_base(rows: list[Interval], where: Interval) -> None:
    regions = Regions.from_intervals(rows)
    flags = per_base(rows, where.chrom)[where.start : where.end]
    np.testing.assert_array_equal(regions.covered(where), flags)
    assert regions.overlaps(where) == flags.any()
    inside = np.zeros(SPAN, bool)
    inside[where.start : where.end] = True
    np.testing.assert_array_equal(
        per_base(regions.subtract_from(where), where.chrom), inside & ~per_base(rows, where.chrom)
    )
    np.testing.assert_array_equal(
        per_base(regions.intersection(where), where.chrom), inside & per_base(rows, where.chrom)
    )


@given(lists, st.sampled_from([1, 3, 8]), st.integers(-20, SPAN), st.integers(0, 12))
def test_bases_per_bin_are_sums_of_flags_beyond_the_contig_too(
    rows: list[Interval], bin_bp: int, start: int, bins: int
) -> None:
    where = Interval("a", start, start + bins * bin_bp)
    flags = np.concatenate((np.zeros(20, bool), per_base(rows, "a"), np.zeros(200, bool)))
    expected = flags[start + 20 : start + 20 + bins * bin_bp].reshape(bins, bin_bp).sum(axis=1)
    np.testing.assert_array_equal(Regions.from_intervals(rows).covered_per_bin(where, bin_bp), expected)


@given(lists, lists)
def test_regions_are_merged_sorted_and_joined(first: list[Interval], second: list[Interval]) -> None:
    union = Regions.from_intervals(first) | Regions.from_intervals(second)
    assert union == Regions.from_intervals(second + first)
    for chrom in ("a", "b"):
        np.testing.assert_array_equal(flags_of(union, chrom), per_base(first + second, chrom))
        starts, ends = union.bounds(chrom)
        assert (starts < ends).all()
        assert (starts[1:] > ends[:-1]).all(), "neither overlapping nor touching"
    assert union.total_bp == sum(per_base(first + second, chrom).sum() for chrom in ("a", "b"))
    assert len(union) == len(list(union))
    assert pickle.loads(pickle.dumps(union)) == union


def test_nothing_covers_nothing() -> None:
    nothing = Regions()
    assert (len(nothing), nothing.total_bp, nothing.chroms) == (0, 0, ())
    assert nothing.subtract_from(Interval("a", 3, 9)) == [Interval("a", 3, 9)]
    assert nothing.covered_per_bin(Interval("a", 0, 256), 128).tolist() == [0, 0]
    assert nothing != Regions.from_intervals([Interval("a", 0, 1)])
    assert Regions.from_intervals([Interval("a", 5, 5)]) == nothing


def test_bins_that_do_not_divide_the_interval_are_refused() -> None:
    for bin_bp in (3, 0):
        with pytest.raises(ValueError, match=f"bins of {bin_bp} bp do not divide a:1-100"):
            Regions().covered_per_bin(Interval("a", 0, 100), bin_bp)
