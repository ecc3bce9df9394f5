from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.dataset.folds import Stretch, assign_folds, break_contig, find_overlaps, join_pieces, keep_apart
from regact.genome import Interval


def test_pieces_hold_whole_windows_and_keep_apart():
    pieces = break_contig(Interval("c", 10, 1010), window_bp=100, step_bp=100, break_bp=350, apart_bp=6)
    assert pieces == [Interval("c", 10, 310), Interval("c", 316, 616), Interval("c", 622, 922)]


def test_pieces_of_cropped_windows_overlap_inside_a_piece_only():
    # target 60 of 100: three windows take 100 + 2 * 60
    pieces = break_contig(Interval("c", 0, 500), window_bp=100, step_bp=60, break_bp=250, apart_bp=0)
    assert [piece.length for piece in pieces] == [220, 220]


@given(
    length=st.integers(1, 5000), window_bp=st.integers(1, 300), more=st.integers(0, 900), apart_bp=st.integers(0, 10)
)
def test_breaking_loses_less_than_a_window_at_the_end(length, window_bp, more, apart_bp):
    contig = Interval("c", 7, 7 + length)
    pieces = break_contig(contig, window_bp=window_bp, step_bp=window_bp, break_bp=window_bp + more, apart_bp=apart_bp)
    assert all(window_bp <= piece.length <= window_bp + more for piece in pieces)
    assert all(a.end + apart_bp == b.start for a, b in pairwise(pieces))
    reached = pieces[-1].end + apart_bp if pieces else contig.start
    assert contig.end - reached < window_bp


@given(
    lengths=st.lists(st.integers(1, 10_000), min_size=1, max_size=60),
    shares=st.lists(st.floats(0.01, 1), min_size=1, max_size=8),
    seed=st.integers(0, 2**32),
)
def test_no_fold_exceeds_its_share_by_a_piece_and_none_is_empty_without_need(lengths, shares, seed):
    shares = [share / sum(shares) for share in shares]
    folds = assign_folds(lengths, shares, seed)
    assert folds == assign_folds(lengths, shares, seed)
    for fold, share in enumerate(shares):
        got = sum(length for length, f in zip(lengths, folds, strict=True) if f == fold)
        assert got < share * sum(lengths) + max(lengths)
    if len(lengths) >= len(shares):
        assert set(folds) == set(range(len(shares)))


def test_equal_pieces_make_equal_folds():
    folds = assign_folds([786_432] * 3_500, [1 / 7] * 7, seed=1)
    assert {folds.count(fold) for fold in range(7)} == {500}


def test_the_seed_decides():
    dealt = {tuple(assign_folds([100] * 20, [0.8, 0.1, 0.1], seed)) for seed in range(10)}
    assert len(dealt) > 5


def test_folds_stay_as_they_were_dealt():
    """The dealing is part of what a seed means: a change of it needs a new schema version."""
    assert assign_folds([5, 5, 4, 3, 3, 2], [0.6, 0.2, 0.2], seed=0) == [1, 0, 2, 0, 0, 0]


def test_neighbours_of_one_fold_are_one_stretch_again():
    pieces = [Interval("c", 0, 100), Interval("c", 106, 206), Interval("c", 212, 300)]
    assert join_pieces(pieces, ["a", "a", "b"]) == [
        Stretch(Interval("c", 0, 206), "a"),
        Stretch(Interval("c", 212, 300), "b"),
    ]


def test_touching_folds_are_trimmed_on_both_sides():
    stretches = [Stretch(Interval("c", 0, 100), "a"), Stretch(Interval("c", 100, 200), "b")]
    assert [s.interval for s in keep_apart(stretches, 6)] == [Interval("c", 0, 97), Interval("c", 103, 200)]


def test_a_gap_counts_as_distance():
    stretches = [Stretch(Interval("c", 0, 100), "a"), Stretch(Interval("c", 103, 200), "b")]
    assert [s.interval for s in keep_apart(stretches, 6)] == [Interval("c", 0, 98), Interval("c", 105, 200)]


def test_one_fold_and_other_chromosomes_are_left_alone():
    stretches = [
        Stretch(Interval("c", 0, 100), "a"),
        Stretch(Interval("c", 100, 200), "a"),
        Stretch(Interval("d", 100, 200), "b"),
    ]
    assert keep_apart(stretches, 50) == stretches


def test_a_stretch_behind_a_shorter_one_of_its_fold_is_trimmed_too():
    # The long stretch reaches to the border, though the short one starts after it.
    stretches = [
        Stretch(Interval("c", 0, 100), "a"),
        Stretch(Interval("c", 10, 20), "a"),
        Stretch(Interval("c", 100, 150), "b"),
    ]
    assert [s.interval for s in keep_apart(stretches, 4)] == [
        Interval("c", 0, 98),
        Interval("c", 10, 20),
        Interval("c", 102, 150),
    ]


@st.composite
def _disjoint_stretches(draw):
    """Stretches of three folds on two chromosomes, those of different folds without overlap, some within one fold."""
    found = []
    for chrom in "cd":
        place = 0
        for _ in range(draw(st.integers(0, 8))):
            place += draw(st.integers(0, 12))
            length, fold = draw(st.integers(1, 40)), draw(st.sampled_from("abz"))
            found.append(Stretch(Interval(chrom, place, place + length), fold))
            if draw(st.booleans()):
                found.append(Stretch(Interval(chrom, place, place + (length + 1) // 2), fold))
            place += length
    return found


@given(stretches=_disjoint_stretches(), apart_bp=st.integers(0, 15))
def test_folds_end_up_apart_and_nothing_more_is_lost(stretches, apart_bp):
    assert not find_overlaps(stretches)
    kept = keep_apart(stretches, apart_bp)
    for a in kept:
        for b in kept:
            if a.fold != b.fold and a.interval.chrom == b.interval.chrom:
                assert max(a.interval.start, b.interval.start) - min(a.interval.end, b.interval.end) >= apart_bp
    lost = sum(s.interval.length for s in stretches) - sum(s.interval.length for s in kept)
    assert lost <= len(stretches) * 2 * ((apart_bp + 1) // 2)


@given(
    places=st.lists(
        st.tuples(st.sampled_from("cd"), st.integers(0, 50), st.integers(1, 20), st.sampled_from("abz")), max_size=12
    )
)
def test_overlaps_of_folds_are_found(places):
    stretches = [Stretch(Interval(chrom, start, start + length), fold) for chrom, start, length, fold in places]
    overlapping = any(a.fold != b.fold and a.interval.overlaps(b.interval) for a in stretches for b in stretches)
    pairs = find_overlaps(stretches)
    assert bool(pairs) == overlapping
    assert all(stretches[i].interval.overlaps(stretches[j].interval) for i, j in pairs)


def test_a_share_of_nothing_is_refused():
    with pytest.raises(ValueError, match="needed numbers > 0"):
        assign_folds([1, 2], [1.0, 0.0], 0)
