"""Spearman's correlation against scipy's own, ties and constants included."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from regact.evaluation.spearman import measure_spearman, spearman

with_ties = hnp.arrays(np.float32, st.shared(st.integers(3, 60), key="n"), elements=st.integers(0, 5).map(float))


@given(with_ties, with_ties)
def test_equals_scipys(predicted, measured):
    found = spearman(predicted, measured)
    if np.ptp(measured) == 0:
        assert math.isnan(found)
    elif np.ptp(predicted) == 0:
        assert found == 0
    else:
        assert found == pytest.approx(stats.spearmanr(predicted, measured).statistic, abs=1e-12)


@given(st.integers(0, 2**32 - 1))
def test_only_the_order_counts(seed):
    rng = np.random.default_rng(seed)
    predicted, measured = rng.gamma(1, 1, (2, 50))
    assert spearman(np.log(predicted), measured**3) == pytest.approx(spearman(predicted, measured), abs=1e-12)
    assert spearman(predicted, predicted) == pytest.approx(1)


def test_every_track_over_all_bins_of_the_split(masked_predictions):
    predictions, predicted, measured = masked_predictions
    found = measure_spearman(predictions)
    tracks = found.tables["spearman"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.ConstantInputWarning)
        expected = [stats.spearmanr(p, y).statistic for p, y in zip(predicted, measured, strict=True)]
    np.testing.assert_allclose(tracks["spearman"], expected, atol=1e-12)
    assert set(tracks["split"]) == {"test"}


def test_a_track_without_variance_is_named_and_in_no_mean(flat_predictions):
    found = measure_spearman(flat_predictions)
    assert math.isnan(found.tables["spearman"]["spearman"].iloc[2])
    assert found.remarks == ("no spearman, without variance in this split: both",)
    summary = found.summary.set_index("assay")["spearman"]
    assert math.isnan(summary["CHIP"])
    assert summary["all"] == pytest.approx(summary["CAGE"])
