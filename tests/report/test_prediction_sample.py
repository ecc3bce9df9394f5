"""Predicted against measured: every unmasked bin counted once, in the cell of its two values."""

import numpy as np
import pytest

from regact.dataset import open_store
from regact.model import load_model, predict_codes
from regact.report.prediction_sample import CELLS, read_window_codes, sample_predictions, spread_rows


@pytest.fixture(scope="module")
def store(trained_runs):
    return open_store(trained_runs.store)


def test_counts_are_those_of_a_histogram(trained_runs, store):
    genome, model = store.open_genome(), load_model(trained_runs.basenji)
    sample = sample_predictions(model, store, genome, "test")
    rows = store.rows("test")
    assert sample.n_windows == len(rows) == 8
    targets, mask = store.read(rows)
    assert mask.all()
    codes = np.concatenate([read_window_codes(store, genome, int(row)) for row in rows])
    rates = predict_codes(model, codes).numpy().transpose(0, 2, 1)
    for assay, tracks in (("CAGE", [0, 1]), ("DNASE", [2, 3])):
        edges = sample.edges[assay]
        assert edges.shape == (CELLS + 1,)
        pairs = [np.log1p(values[..., tracks].astype(np.float32)).ravel() for values in (targets, rates)]
        expected, *_ = np.histogram2d(*(np.minimum(p, edges[-1]) for p in pairs), bins=edges)
        assert sample.counts[assay].sum() == expected.sum() == 8 * store.n_bins * 2
        assert np.abs(sample.counts[assay] - expected).sum() <= 4  # a value on an edge may fall to either side


def test_rows_are_spread_over_the_split(store):
    rows = store.rows("valid")
    assert spread_rows(store, "valid", 3).tolist() == [rows[0], rows[4], rows[-1]]
    assert spread_rows(store, "valid", 100).tolist() == rows.tolist()
