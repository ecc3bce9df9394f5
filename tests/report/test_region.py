"""A region of the genome in the windows of a store: every base in the right bin, gaps left open."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.dataset import open_store
from regact.errors import DataError
from regact.genome import Interval
from regact.model import load_model, predict_codes
from regact.report.region import RegionBins, choose_region, find_bins

BIN_BP, N_BINS = 10, 8


def store_of(starts, *, crop_bins=0, chrom="c"):
    """As much of a store as knows where windows lie."""
    length = (N_BINS + 2 * crop_bins) * BIN_BP
    windows = pd.DataFrame({"chrom": chrom, "start": starts, "end": [start + length for start in starts]})
    return SimpleNamespace(
        windows=windows.assign(split="test"),
        bin_bp=BIN_BP,
        n_bins=N_BINS,
        crop_bins=crop_bins,
        path=SimpleNamespace(name="store"),
    )


def spans(store, bins):
    """(start, end) of every shown bin by its place in its window."""
    starts = store.windows["start"].to_numpy()[bins.rows] + store.crop_bins * BIN_BP
    first = starts[bins.window] + bins.bin * BIN_BP
    return [(start, start + BIN_BP) for start, window in zip(first, bins.window, strict=True) if window >= 0]


@given(
    st.lists(st.integers(0, 400), min_size=1, max_size=6, unique=True),
    st.integers(0, 400),
    st.integers(1, 300),
    st.sampled_from([1, 7, BIN_BP]),
    st.integers(0, 2),
)
def test_bins_lie_where_their_window_has_them(starts, first, length, step, crop_bins):
    store, region = (
        store_of([start * step for start in sorted(starts)], crop_bins=crop_bins),
        Interval("c", first, first + length),
    )
    try:
        bins = find_bins(store, region)
    except DataError:
        targets = [start * step + crop_bins * BIN_BP for start in starts]
        assert not any(start < region.end and start + N_BINS * BIN_BP > region.start for start in targets)
        return
    edges = list(zip(bins.edges[:-1], bins.edges[1:], strict=True))
    assert len(edges) == len(bins.window) == len(bins.bin)
    assert (np.diff(bins.edges) > 0).all()
    assert [edge for edge, window in zip(edges, bins.window, strict=True) if window >= 0] == spans(store, bins)
    assert all(start < region.end and end > region.start for start, end in spans(store, bins))
    if step == BIN_BP:  # windows in one lattice: no base that any window shows is lost
        shown = {base for start, end in spans(store, bins) for base in range(max(start, first), min(end, region.end))}
        there = {
            base
            for start in starts
            for base in range(start * step + crop_bins * BIN_BP, start * step + (crop_bins + N_BINS) * BIN_BP)
        }
        assert shown == there & set(range(first, region.end))


def test_where_windows_overlap_the_nearer_middle_shows_a_bin():
    bins = find_bins(store_of([0, 40]), Interval("c", 0, 120))
    assert bins.window.tolist() == [0] * 6 + [1] * 6
    assert bins.bin.tolist() == [0, 1, 2, 3, 4, 5, 2, 3, 4, 5, 6, 7]


def test_a_gap_between_windows_is_one_bin_without_a_value():
    bins = find_bins(store_of([0, 200]), Interval("c", 60, 220))
    assert bins.edges.tolist() == [60, 70, 80, 200, 210, 220]
    assert bins.window.tolist() == [0, 0, -1, 1, 1]
    assert bins.covered == pytest.approx(40 / 160)


def test_a_gap_has_no_value():
    bins = RegionBins(
        Interval("c", 0, 30), np.array([5]), np.arange(4), np.array([0, -1, 0]), np.array([1, -1, 0]), ("test",)
    )
    store = SimpleNamespace(read=lambda rows: (np.array([[[1.0, 2.0], [3.0, 4.0]]], dtype=np.float16), None))
    np.testing.assert_array_equal(bins.measured(store), [[3, np.nan, 1], [4, np.nan, 2]])


@pytest.mark.parametrize(
    ("region", "said"),
    [
        (Interval("c", 300, 310), "nearest is c:1-80"),
        (Interval("d", 0, 10), "a region on one of c"),
    ],
)
def test_a_region_without_windows_is_refused_with_where_there_are_some(region, said):
    with pytest.raises(DataError, match=said):
        find_bins(store_of([0, 1000]), region)


def test_a_region_of_too_many_windows_is_refused():
    with pytest.raises(DataError, match="shorter"):
        find_bins(store_of(range(0, 8000, 80)), Interval("c", 0, 8000))


def test_values_are_those_of_the_windows(trained_runs):
    store = open_store(trained_runs.store)
    genome = store.open_genome()
    model = load_model(trained_runs.basenji)
    bins = find_bins(
        store, Interval("chr2", 4096 - 256, 4096 + 256)
    )  # the last two bins of a window, the first of the next
    rows = [0 + store.rows("valid")[0], 1 + store.rows("valid")[0]]
    assert bins.rows.tolist() == rows
    targets, _ = store.read(rows)
    expected = np.concatenate([targets[0, -2:], targets[1, :2]]).T
    np.testing.assert_array_equal(bins.measured(store), expected.astype(np.float32))
    codes = np.stack([genome.fetch(Interval("chr2", 0, 4096)), genome.fetch(Interval("chr2", 4096, 8192))])
    rates = predict_codes(model, codes).numpy()
    np.testing.assert_allclose(
        bins.predicted(model, store, genome), np.concatenate([rates[0][:, -2:], rates[1][:, :2]], axis=1), rtol=1e-5
    )


def test_the_chosen_window_is_the_one_that_varies_most_in_most_tracks(trained_runs):
    store = open_store(trained_runs.store)
    rows = store.rows("test")
    targets, mask = store.read(rows)
    assert mask.all()
    spread = np.log1p(targets.astype(np.float32)).std(axis=1)  # (window, track)
    ranks = spread.argsort(axis=0).argsort(axis=0)[:, :3].sum(axis=1)  # all tracks but the flat one
    window = store.windows.iloc[rows[ranks.argmax()]]
    assert choose_region(store, "test") == Interval(window["chrom"], window["start"], window["end"])
