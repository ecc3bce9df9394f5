import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.errors import FormatError
from regact.genome import Interval, parse_region

places = st.integers(-50, 50)
intervals = st.builds(
    lambda chrom, start, length: Interval(chrom, start, start + length),
    st.sampled_from(["chrI", "chrII"]),
    places,
    st.integers(0, 40),
)


def bases(interval: Interval) -> set[tuple[str, int]]:
    return {(interval.chrom, place) for place in range(interval.start, interval.end)}


@given(intervals, intervals)
def test_overlap_and_intersection_are_those_of_the_sets_of_bases(first: Interval, second: Interval) -> None:
    shared = bases(first) & bases(second)
    assert first.overlaps(second) == bool(shared)
    found = first.intersection(second)
    assert (set() if found is None else bases(found)) == shared


@given(st.sampled_from(["I", "chrX", "HLA-A*01:01:01"]), st.integers(0, 10**9), st.integers(1, 10**6))
def test_region_string_and_back(chrom: str, start: int, length: int) -> None:
    interval = Interval(chrom, start, start + length)
    assert parse_region(str(interval)) == interval


def test_region_strings_are_1_based_and_may_hold_commas() -> None:
    assert parse_region(" chrI:1,001-2,000 ") == Interval("chrI", 1000, 2000)
    assert str(Interval("chrI", 1000, 2000)) == "chrI:1001-2000"
    assert Interval("chrI", 1000, 2000).length == 1000


@pytest.mark.parametrize(
    "text", ["chrI", "chrI:5", "chrI:0-5", "chrI:9-5", "chrI:-5-9", ":1-5", "chrI:,-,", "chr I:1-2"]
)
def test_what_is_no_region_is_refused_by_its_text(text: str) -> None:
    with pytest.raises(FormatError, match="region"):
        parse_region(text)


def test_an_interval_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="chrI 5 4 ends before"):
        Interval("chrI", 5, 4)
