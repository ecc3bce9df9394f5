from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from regact.reads.multimap import read_classes
from regact.reads.multimap.read_classes import ReadClasses, group_reads

Row = list[tuple[int, float]]

ROWS = st.lists(
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from([1.0, 0.5])), min_size=1, max_size=4), min_size=1, max_size=12
)


def group(rows: list[Row]) -> ReadClasses:
    sizes = np.array([len(row) for row in rows], np.int64)
    places = np.array([place for row in rows for place, _ in row], np.int64)
    return group_reads(sizes, places, np.array([value for row in rows for _, value in row], np.float32))


def rows_of(classes: ReadClasses) -> list[tuple[tuple[int, float], ...]]:
    entries = list(zip(classes.sites[classes.site].tolist(), classes.likelihood.tolist(), strict=True))
    return [tuple(entries[a:b]) for a, b in zip(classes.offsets[:-1], classes.offsets[1:], strict=True)]


@given(ROWS)
def test_classes_are_the_distinct_rows_with_their_counts(rows):
    classes = group(rows)
    expected = Counter(tuple(sorted(row)) for row in rows)
    assert dict(zip(rows_of(classes), classes.count.tolist(), strict=True)) == dict(expected)
    assert [rows_of(classes)[number] for number in classes.class_of] == [tuple(sorted(row)) for row in rows]
    assert classes.n_reads == len(rows)


@given(ROWS)
def test_values_of_entries_come_back_to_the_alignments(rows):
    classes = group(rows)
    places = classes.of_alignments(classes.sites[classes.site].astype(np.float32))
    likelihood = classes.of_alignments(classes.likelihood)
    assert list(zip(places, likelihood, strict=True)) == [entry for row in rows for entry in row]


@given(ROWS, st.randoms(use_true_random=False))
def test_order_of_classes_does_not_depend_on_the_order_of_reads(rows, random):
    mixed = [random.sample(row, len(row)) for row in random.sample(rows, len(rows))]
    assert rows_of(group(mixed)) == rows_of(group(rows))


@given(ROWS)
def test_rows_of_one_hash_stay_apart(rows):
    """What would happen to different rows with the same hash: more classes than need be, never a wrong one."""
    original = read_classes._row_hashes
    read_classes._row_hashes = lambda offsets, site, likelihood: np.zeros(len(offsets) - 1, np.uint64)
    try:
        classes = group(rows)
    finally:
        read_classes._row_hashes = original
    assert [rows_of(classes)[number] for number in classes.class_of] == [tuple(sorted(row)) for row in rows]
    assert classes.count.sum() == len(rows)
