"""Shares by the settings: EM and its yardsticks."""

import numpy as np
import pytest

from regact.reads import Alignments, GenomeLayout, coverage_settings, share_reads

LAYOUT = GenomeLayout.from_lengths({"c": 10_000})


@pytest.fixture
def alignments():
    """100 reads with one place around 2,000; 60 that may be from there or from 7,000, where nothing else is."""
    near = np.random.default_rng(0).integers(1_950, 2_050, 100)
    place = np.concatenate([near, np.tile([2_000, 7_000], 60)])
    offsets = np.concatenate([np.arange(100), 100 + 2 * np.arange(61)])
    ones = np.ones(len(place))
    return Alignments(offsets, place, place, ones.astype(np.int32), ones.astype(np.int8))


@pytest.mark.parametrize(
    ("em", "there"), [("smoothed", 59.4), ("exact", 59.6), ("equal", 30), ("unique", 0), ("random", None)]
)
def test_shares_at_the_place_that_has_reads_around(alignments, em, there):
    placement = share_reads(alignments, LAYOUT, coverage_settings("dnase", em=em, em_sd_bp=16))
    shares = placement.weight[100:].reshape(-1, 2)
    assert placement.n_multimapped == 60
    assert (placement.rounds > 0) == (em in ("smoothed", "exact"))
    if em == "unique":
        assert shares.sum() == 0
        return
    np.testing.assert_array_equal(shares.sum(axis=1), 1)
    if em == "random":
        assert set(shares.ravel().tolist()) == {0, 1}
        assert 15 < shares[:, 0].sum() < 45
        again = share_reads(alignments, LAYOUT, coverage_settings("dnase", em=em, em_sd_bp=16))
        np.testing.assert_array_equal(placement.weight, again.weight)
        other = share_reads(alignments, LAYOUT, coverage_settings("dnase", em=em, em_sd_bp=16, seed=1))
        assert (placement.weight != other.weight).any()
    else:
        assert shares[:, 0].sum() == pytest.approx(there, abs=0.4)
