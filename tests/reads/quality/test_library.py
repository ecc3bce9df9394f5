"""Library complexity against simulated libraries, Picard's own numbers and hand-counted places."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.reads.alignments import Alignments
from regact.reads.quality.library import distinct_at_depth, library_complexity, library_molecules


def reads_at(start, length, strand, places=None) -> Alignments:
    start = np.asarray(start, np.int64)
    offsets = np.arange(len(start) + 1) if places is None else np.concatenate([[0], np.cumsum(places)])
    return Alignments(offsets, start, start, np.asarray(length, np.int32), np.asarray(strand, np.int8))


@given(st.integers(10, 10**9), st.floats(1e-4, 20))
def test_solves_lander_and_waterman_s_equation(molecules, load):
    examined = max(2, round(load * molecules))
    distinct = round(distinct_at_depth(molecules, np.array([examined]))[0])
    if 0 < distinct < examined:
        found = library_molecules(examined, distinct)
        assert distinct_at_depth(found, np.array([examined]))[0] == pytest.approx(distinct, rel=1e-6)


def test_a_simulated_library_has_the_size_that_it_was_made_with():
    rng = np.random.default_rng(1)
    drawn = rng.integers(0, 50_000, 40_000)
    found = library_molecules(len(drawn), len(np.unique(drawn)))
    assert found == pytest.approx(50_000, rel=0.03)


@pytest.mark.parametrize("distinct", [0, 100])
def test_none_where_any_size_fits(distinct):
    assert library_molecules(100, distinct) is None


def test_more_distinct_reads_than_reads_are_refused():
    with pytest.raises(ValueError, match="101 distinct of 100"):
        library_molecules(100, 101)


def test_places_are_counted_by_fragment_or_by_five_prime_end():
    # Forward reads at 10: lengths 50, 50, 60. Reverse reads that end at 110: lengths 50, 40. One forward read at 200.
    alignments = reads_at([10, 10, 10, 60, 70, 200], [50, 50, 60, 50, 40, 50], [1, 1, 1, -1, -1, 1])
    fragments = library_complexity(alignments, by_fragment=True)
    assert (fragments.examined, fragments.distinct, fragments.once, fragments.twice) == (6, 5, 4, 1)
    assert (fragments.pbc1, fragments.pbc2) == (0.8, 4.0)
    ends = library_complexity(alignments, by_fragment=False)
    assert (ends.distinct, ends.once, ends.twice, ends.told_by) == (3, 1, 1, "five_primes")
    assert ends.distinct_share == 0.5


def test_reads_with_several_places_are_left_out_and_added_in_proportion():
    once = library_complexity(reads_at([1, 1, 2, 3], [5] * 4, [1] * 4), by_fragment=True)
    more = library_complexity(
        reads_at([1, 1, 2, 3, 50, 70, 50, 70, 1, 9], [5] * 10, [1] * 10, places=[1, 1, 1, 1, 2, 2, 2]), by_fragment=True
    )
    assert (more.examined, more.distinct) == (once.examined, once.distinct) == (4, 3)
    assert more.molecules == pytest.approx(once.molecules * 7 / 4)


def test_flags_of_a_duplicate_marker_are_believed():
    found = library_complexity(reads_at([1, 1, 2, 3], [5] * 4, [1] * 4), flagged=4, by_fragment=True)
    assert (found.told_by, found.examined, found.distinct, found.pbc1, found.pbc2) == ("flags", 8, 4, None, None)
    assert found.molecules == pytest.approx(library_molecules(8, 4))


def test_no_reads_with_one_place():
    found = library_complexity(reads_at([1, 2], [5, 5], [1, 1], places=[2]), by_fragment=True)
    assert (found.examined, found.distinct, found.molecules, found.distinct_share) == (0, 0, None, 1.0)
