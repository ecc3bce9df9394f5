import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from regact.dataset.value_counts import N_BINS, ZERO_BIN, _values_of_window, bin_edges, count_values

halves = st.floats(width=16)


def values_of(targets, mask=None, clips=None, row=0):
    targets = np.asarray(targets, np.float16)
    mask = np.ones(len(targets), bool) if mask is None else mask
    clips = np.full(targets.shape[1], np.inf, np.float16) if clips is None else np.asarray(clips, np.float16)
    return _values_of_window(row, targets, mask, clips)


@given(hnp.arrays(np.float16, (7, 3), elements=halves))
def test_every_finite_value_lies_in_its_bin(targets):
    edges, counts = bin_edges(), values_of(targets).counts
    assert len(edges) == N_BINS + 1
    assert (edges[1:] >= edges[:-1]).all()
    for track, column in enumerate(targets.T.astype(float)):
        finite = column[np.isfinite(column)]
        for k in np.flatnonzero(counts[track]):
            if np.isfinite(edges[k : k + 2]).all():
                low, high = edges[k], edges[k + 1]
                # Negative bins are closed above, positive ones below.
                inside = (finite > low) & (finite <= high) if high <= 0 else (finite >= low) & (finite < high)
                if k == ZERO_BIN or high == 0:
                    continue  # -0.0 counts with the tiny negative values
                assert counts[track, k] == inside.sum()
    assert (counts.sum(axis=1) == 7).all()


@given(hnp.arrays(np.float16, (9, 4), elements=halves), hnp.arrays(bool, 9))
def test_sums_and_extremes_are_those_of_numpy(targets, mask):
    found = values_of(targets, mask)
    kept = targets[mask].astype(float)
    for track, column in enumerate(kept.T):
        finite = column[np.isfinite(column)]
        assert found.nonzero[track] == (column != 0).sum()
        assert found.non_finite[track] == len(column) - len(finite)
        assert found.total[track] == pytest.approx(finite.sum(), rel=1e-12, abs=1e-9)
        assert found.squares[track] == pytest.approx((finite**2).sum(), rel=1e-12)
        assert found.maximum[track] == (finite.max() if len(finite) else -np.inf)
        assert found.minimum[track] == (finite.min() if len(finite) else np.inf)
        if len(finite):
            assert targets[found.max_bin[track], track] == finite.max()
        else:
            assert found.max_bin[track] == found.max_row[track] == -1


@given(hnp.arrays(np.float16, (60, 2), elements=st.floats(0, 60_000, width=16)), st.floats(0.01, 1))
def test_quantiles_are_within_a_bin_of_the_exact_ones(targets, q):
    found = values_of(targets).quantile(q)
    exact = np.sort(targets.astype(float), axis=0)[max(1, int(np.floor(q * 60))) - 1]
    for one, other in zip(found, exact, strict=True):
        assert other <= one <= other * 1.125 + 8e-6 or (one == 0 and other < 8e-6)


def test_clipped_values_are_counted_at_the_clip_as_it_is_stored():
    clip = 0.1  # no float16: the stored value is a little less
    found = values_of([[0.1, 0.1], [-0.1, 5], [0.05, 7]], clips=[clip, np.inf])
    assert found.clipped.tolist() == [2, 0]


def test_windows_are_merged(make_store):
    rng = np.random.default_rng(3)
    targets = rng.poisson(0.3, (10, 8, 3)).astype(np.float16)
    targets[4] = 0
    mask = rng.random((10, 8)) < 0.7
    mask[2] = False
    store, _ = make_store(targets=targets, mask=mask)
    found = count_values(store, np.arange(10))
    kept = targets[mask].astype(float)
    assert (found.n_bins, found.n_windows, found.silent_windows) == (len(kept), 10, 1)
    np.testing.assert_allclose(found.mean, kept.mean(axis=0))
    np.testing.assert_array_equal(found.counts.sum(axis=1), len(kept))
    for track in range(3):
        places = np.argwhere((targets[:, :, track] == kept[:, track].max()) & mask)
        assert [found.max_row[track], found.max_bin[track]] == places[0].tolist()
    parts = [count_values(store, np.arange(10)[k::3]) for k in range(3)]
    merged = parts[2].merge(parts[0]).merge(parts[1])
    for name in found.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(merged, name), getattr(found, name), err_msg=name)


def test_a_track_without_values_has_no_quantile():
    found = values_of(np.ones((3, 1)), mask=np.zeros(3, bool))
    assert np.isnan(found.quantile(0.5)).all()
    assert np.isnan(found.mean).all()
