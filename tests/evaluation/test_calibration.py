"""Calibration against closed forms: what is predicted k times too high has slope 1/k and ratio k."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.evaluation.calibration import N_DECILES, calibrate, calibration_by_assay, measure_calibration


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10), st.integers(1, 30))
def test_a_prediction_times_a_factor(seed, factor, tens):
    measured = np.random.default_rng(seed).gamma(2, 1, 10 * tens)
    found = calibrate(factor * measured, measured)
    assert (found.slope, found.ratio) == (pytest.approx(1 / factor), pytest.approx(factor))
    by_hand = np.sort(measured).reshape(10, -1).mean(axis=1)
    np.testing.assert_allclose(found.mean_measured, by_hand)
    np.testing.assert_allclose(found.mean_predicted, factor * by_hand)
    assert (found.bins == tens).all()


@given(st.integers(0, 2**32 - 1), st.integers(2, 200))
def test_deciles_hold_every_bin_once_and_do_not_depend_on_order(seed, n):
    rng = np.random.default_rng(seed)
    predicted, measured = rng.integers(0, 8, n).astype(np.float32), rng.poisson(2, n).astype(np.float32)
    found, order = calibrate(predicted, measured), rng.permutation(n)
    again = calibrate(predicted[order], measured[order])
    assert found.bins.sum() == n
    assert np.nansum(found.bins * found.mean_measured) == pytest.approx(measured.sum())
    np.testing.assert_allclose(again.mean_measured, found.mean_measured)
    if np.ptp(predicted) and np.ptp(measured):
        assert found.slope == pytest.approx(np.polyfit(predicted, measured, 1)[0], abs=1e-6)


def test_constants_have_no_slope():
    varied, flat = np.arange(20.0), np.full(20, 3.0)
    assert math.isnan(calibrate(flat, varied).slope)
    assert calibrate(flat, varied).ratio == pytest.approx(60 / 190)
    assert math.isnan(calibrate(varied, flat).slope)
    assert calibrate(flat, varied).bins.tolist() == [0] * 5 + [20] + [0] * 4


def test_tables_of_the_split(masked_predictions):
    predictions, predicted, measured = masked_predictions
    found = measure_calibration(predictions)
    tracks, deciles = found.tables["calibration"], found.tables["calibration_deciles"]
    np.testing.assert_allclose(tracks["ratio"], predicted.sum(axis=1) / measured.sum(axis=1), rtol=1e-6)
    assert deciles["decile"].tolist() == list(range(1, N_DECILES + 1)) * 3
    assert set(deciles["split"]) == set(tracks["split"]) == {"test"}
    per_track = deciles.groupby("identifier", sort=False)["bins"].sum()
    assert per_track.tolist() == [measured.shape[1]] * 3


def test_an_assay_is_the_mean_of_its_tracks_each_by_its_own_measured_mean():
    deciles = pd.DataFrame({
        "identifier": ["a", "a", "b", "b", "dead", "dead"], "assay": "CAGE", "decile": [1, 2] * 3, "bins": 5,
        "mean_predicted": [1.0, 2.0, 300.0, 500.0, 1.0, 2.0], "mean_measured": [1.0, 3.0, 100.0, 300.0, 0.0, 0.0],
    })  # fmt: skip
    ((predicted, measured),) = calibration_by_assay(deciles).values()
    np.testing.assert_allclose(predicted, [(0.5 + 1.5) / 2, (1 + 2.5) / 2])
    np.testing.assert_allclose(measured, [0.5, 1.5])


def test_a_track_without_variance_is_named(flat_predictions):
    found = measure_calibration(flat_predictions)
    assert found.remarks == ("no slope, measured or predicted values do not vary in this split: both",)
    assert math.isfinite(found.summary.set_index("assay")["slope"]["all"])
