"""Names of a table made different: the first keeps its own, and nothing else changes."""

from hypothesis import given
from hypothesis import strategies as st

from regact.tracks import number_repeats


def test_later_ones_are_numbered_and_told():
    told = []
    names = number_repeats(["a", "b", "a", "a", "b"], "targets.txt", told.append)
    assert names == ("a", "b", "a_2", "a_3", "b_2")
    found = "targets.txt: 3 identifiers stand there again and were numbered (a is now a_2, a is now a_3, b is now b_2)"
    assert told == [found]


def test_a_number_that_is_taken_is_left_out():
    assert number_repeats(["a", "a_2", "a", "a_2", "a"], "t") == ("a", "a_2", "a_3", "a_2_2", "a_4")
    assert number_repeats(["a", "a", "a_2"], "t") == ("a", "a_3", "a_2")


@given(st.lists(st.from_regex(r"[ab](_[23])?(_2)?", fullmatch=True)))
def test_names_are_different_and_begin_with_their_own(names):
    told = []
    numbered = number_repeats(names, "t", told.append)
    assert len(set(numbered)) == len(names)
    assert all(new.startswith(old) for old, new in zip(names, numbered, strict=True))
    for name in set(names):
        assert numbered[names.index(name)] == name
    assert bool(told) == (len(set(names)) < len(names))
