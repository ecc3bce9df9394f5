"""Specificity against numpy on whole matrices, and what it must not see."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regact.evaluation.specificity import (
    Residuals,
    brightest_bins,
    group_residuals,
    measure_specificity,
    track_groups,
)
from regact.evaluation.split_predictions import SplitPredictions


@pytest.fixture(scope="module")
def lay_down(simulated, tmp_path_factory):
    """Matrices (track, bin) of the simulated test split as predictions on disk."""

    def make(predicted, measured):
        folder = tmp_path_factory.mktemp("predictions")
        np.save(folder / "predicted.npy", predicted.astype(np.float32))
        np.save(folder / "measured.npy", measured.astype(np.float16))
        return SplitPredictions(folder, simulated.store, "test")

    return make


@pytest.fixture(scope="module")
def truth(simulated):
    """Measured values of the simulated test split, (track, bin)."""
    targets, mask = simulated.store.read(simulated.store.rows("test"))
    return targets.astype(np.float32)[mask].T


def by_hand(predicted, measured, tracks):
    """Residuals of a group over its brightest bins, all in one matrix."""
    p, y = (np.log1p(values[tracks].astype(float)) for values in (predicted, measured))
    chosen = np.sort(np.argsort(-y.mean(axis=0), kind="stable")[: math.ceil(0.1 * y.shape[1])])
    p, y = p[:, chosen], y[:, chosen]
    return [v - v.mean(axis=0) - v.mean(axis=1, keepdims=True) + v.mean() for v in (p, y)]


def test_groups_are_assays_with_strands_apart(simulated):
    names = simulated.store.sheet.identifiers
    groups = {(g.assay, g.strand): [names[track] for track in g.tracks] for g in track_groups(simulated.store.sheet)}
    cells = ("liver", "blood", "brain", "skin")
    assert groups == {
        ("CAGE", "+"): [f"CAGE_{cell}_plus" for cell in cells],
        ("CAGE", "-"): [f"CAGE_{cell}_minus" for cell in cells],
        ("DNASE", "."): [f"DNASE_{cell}" for cell in cells],
        ("CHIP", "."): [f"CHIP_{cell}" for cell in cells],
    }


def test_equals_numpy_on_the_whole_matrix(lay_down, truth, simulated):
    noise = np.random.default_rng(0).gamma(3, 1 / 3, truth.shape)
    predicted, measured = (0.2 + truth) * noise, truth
    found = measure_specificity(lay_down(predicted, measured))
    tracks, groups = found.tables["specificity"], found.tables["specificity_groups"]
    for row, group in enumerate(track_groups(simulated.store.sheet)):
        p, y = by_hand(predicted.astype(np.float32), measured, list(group.tracks))
        assert groups["specificity"].iloc[row] == pytest.approx(np.corrcoef(p.ravel(), y.ravel())[0, 1], abs=1e-6)
        each = [np.corrcoef(a, b)[0, 1] for a, b in zip(p, y, strict=True)]
        np.testing.assert_allclose(tracks["specificity"].iloc[list(group.tracks)], each, atol=1e-6)
    assert groups["bins"].max() == math.ceil(0.1 * truth.shape[1])
    assert set(found.summary["assay"]) == {"CAGE", "DNASE", "CHIP", "all"}
    assert found.remarks == ()


def test_the_average_cell_type_scores_nothing_though_its_pearson_is_high(lay_down, truth, simulated):
    predicted = truth.copy()
    for group in track_groups(simulated.store.sheet):
        predicted[list(group.tracks)] = np.expm1(np.log1p(truth[list(group.tracks)]).mean(axis=0))
    assert np.mean([np.corrcoef(p, y)[0, 1] for p, y in zip(predicted, truth, strict=True)]) > 0.6
    found = measure_specificity(lay_down(predicted, truth))
    np.testing.assert_allclose(found.summary["specificity"], 0, atol=0.02)


@settings(max_examples=15)  # each writes its matrices to the disk
@given(st.integers(0, 2**32 - 1))
def test_what_all_tracks_share_and_their_depths_change_nothing(lay_down, simulated, seed):
    rng = np.random.default_rng(seed)
    shape = (16, SplitPredictions(simulated.folder, simulated.store, "test").n_bins)
    measured, p = rng.poisson(3, shape), rng.normal(2, 0.3, shape)
    shared, depth = rng.normal(0, 0.3, shape[1]), rng.normal(0, 0.3, (16, 1))
    tracks = (1, 5, 9)
    plain, changed = (group_residuals(lay_down(np.expm1(v), measured), tracks) for v in (p, p + shared + depth))
    assert changed.pooled() == pytest.approx(plain.pooled(), abs=1e-5)
    np.testing.assert_allclose(changed.per_track(), plain.per_track(), atol=1e-5)


def test_a_perfect_prediction_and_one_that_varies_the_wrong_way(lay_down, truth):
    assert group_residuals(lay_down(truth, truth), (2, 6, 10)).pooled() == pytest.approx(1)
    swapped = group_residuals(lay_down(truth[[6, 2]], truth[[2, 6]]), (0, 1))
    assert swapped.pooled() == pytest.approx(-1)  # of two tracks, the residuals of one are the other's negative


def test_tracks_that_do_not_vary_or_stand_alone_are_told(lay_down, truth):
    measured = truth.copy()
    measured[[1, 5, 9]] = 2  # CAGE_*_minus but one
    measured[2] = 0  # one of four DNASE
    found = measure_specificity(lay_down(truth, measured))
    assert found.remarks[0] == "no specificity of CAGE -: 1 tracks that vary, two are needed to compare"
    for name in ("CAGE_liver_minus", "CAGE_skin_minus", "DNASE_liver"):
        assert name in found.remarks[1]
    assert "CAGE_liver_plus" not in found.remarks[1]


def test_measured_values_that_are_the_same_in_all_tracks_have_no_specificity(lay_down, truth):
    same = np.broadcast_to(truth[0], truth.shape)
    found = group_residuals(lay_down(truth, same), (2, 6, 10))
    assert math.isnan(found.pooled())
    assert np.isnan(found.per_track()).all()
    assert found.share() == pytest.approx(0, abs=1e-12)


def test_bins_without_signal_are_not_among_the_brightest():
    signal = np.zeros(100)
    signal[[5, 90]] = 1, 2
    assert brightest_bins(signal).tolist() == [5, 90]
    assert brightest_bins(np.ones(30)).tolist() == [0, 1, 2]
    assert math.isnan(Residuals(0, *np.zeros((5, 2))).share())
