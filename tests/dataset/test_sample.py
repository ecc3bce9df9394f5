"""A few windows built as all of them would be."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.dataset import open_store
from regact.dataset.plan import plan_build
from regact.dataset.sample import SampleTask, disk_bytes, sample_dataset, some_built, spread


@pytest.fixture(scope="module")
def plan(planted):
    experiment = planted.experiment
    return plan_build(experiment.genome, experiment.tracks, experiment.dataset)


def test_where_there_is_time_for_all_windows_all_are_built(plan, planted, tmp_path):
    found = sample_dataset(SampleTask(plan, tmp_path, seconds=60))
    assert [reading.windows for reading in found.readings] == [found.readings[0].windows, 72]
    assert found.readings[0].windows < 30
    assert found.of_windows == 72
    store = open_store(found.store)
    assert store.fingerprint == planted.store.fingerprint
    built = disk_bytes(planted.store.path)
    assert found.readings[-1].disk_bytes == pytest.approx(built, rel=0.02)  # besides, what only building needs
    assert found.peak_bytes >= found.base_bytes > 0


def test_without_time_a_few_windows_are_built_of_every_split(plan, planted, tmp_path):
    found = sample_dataset(SampleTask(plan, tmp_path, seconds=0))
    (reading,) = found.readings
    assert 12 <= reading.windows < 30
    store = open_store(found.store)
    assert store.n_windows == reading.windows
    for split in ("train", "valid", "test"):
        for row in store.rows(split):
            chrom, start = store.windows.loc[row, ["chrom", "start"]]
            windows = planted.store.windows
            whole = windows.index[(windows["chrom"] == chrom) & (windows["start"] == start)][0]
            np.testing.assert_array_equal(store.read([row])[0], planted.store.read([whole])[0])


def test_depth_is_measured_where_the_windows_are(plan):
    some = some_built(plan, np.array([0, 1, 5]))
    assert [str(part) for part in some.covered] == ["chrA:1-2048", "chrA:5121-6144"]
    assert dataclasses.replace(some, windows=plan.windows, mask=plan.mask, covered=plan.covered).header == plan.header


@given(
    st.dictionaries(st.sampled_from(["train", "valid", "test"]), st.integers(1, 300), min_size=1),
    st.integers(1, 1000),
    st.sampled_from([1, 4, 16]),
)
def test_samples_are_spread_over_the_splits(counts, wanted, block):
    splits = pd.Series([split for split, n in counts.items() for _ in range(n)])
    rows = spread(splits, wanted, block)
    assert len(set(rows)) == len(rows)
    assert set(splits[rows]) == set(splits)
    if wanted >= len(splits):
        assert len(rows) == len(splits)
    else:
        assert len(rows) <= wanted + block * 1.5 * len(counts)
