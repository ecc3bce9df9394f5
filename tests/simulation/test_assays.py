import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.simulation.assays import draw_counts, list_tracks, spread_over_bins
from regact.simulation.config import AssayConfig, AssaysConfig


@given(
    st.lists(st.integers(-300, 1_300), max_size=8),
    st.integers(0, 150).map(lambda half: 2 * half + 1),
    st.sampled_from([1, 4, 16, 128]),
)
def test_spread_matches_adding_the_kernel_base_by_base(positions, width, bin_bp):
    length = 1_024
    amount = 1.0 + np.arange(len(positions))
    bases = np.zeros(length)
    kernel = np.sin(np.pi * np.arange(1, width + 1) / (width + 1)) ** 2
    kernel /= kernel.sum()
    for position, size in zip(positions, amount, strict=True):
        for offset, weight in enumerate(kernel, start=position - width // 2):
            if 0 <= offset < length:
                bases[offset] += size * weight
    found = spread_over_bins(
        np.array(positions, np.int64), amount, width_bp=width, n_bins=length // bin_bp, bin_bp=bin_bp
    )
    np.testing.assert_allclose(found, bases.reshape(-1, bin_bp).sum(axis=1), atol=1e-9)


def test_tracks_of_a_cell_type_stand_together_with_strand_pairs():
    tracks = list_tracks(("a", "b"))
    assert [track.identifier for track in tracks[:4]] == ["CAGE_a_plus", "CAGE_a_minus", "DNASE_a", "CHIP_a"]
    assert tracks[0].other_strand == tracks[1]
    assert tracks[1].other_strand == tracks[0]
    assert tracks[6].other_strand == tracks[6]
    assert tracks[7].description == "CHIP:H3K27ac:b"


def test_poisson_counts_have_the_expected_mean_and_variance(rng):
    expected = np.tile([0.1, 2.0, 0.0, 30.0], 20_000)
    counts = draw_counts(expected, AssaysConfig(noise="poisson"), 128, rng).reshape(-1, 4)
    bound = 5 / np.sqrt(len(counts))
    np.testing.assert_array_less(np.abs(counts.mean(axis=0) - expected[:4]), bound * np.sqrt(expected[:4]) + 1e-12)
    np.testing.assert_allclose(counts.var(axis=0), expected[:4], rtol=0.05)


def test_negative_binomial_bins_have_the_stated_variance(rng):
    dispersion, mean = 0.3, 8.0  # of a bin; eight stretches of 16 bp share it unevenly
    parts = mean * np.array([0, 0, 1, 4, 2, 1, 0, 0]) / 8
    assays = AssaysConfig(noise="negative_binomial", dispersion=dispersion)
    counts = draw_counts(np.tile(parts, 40_000), assays, 128, rng).reshape(-1, 8)
    assert (counts[:, [0, 1, 6, 7]] == 0).all()
    variance = mean + dispersion * mean**2
    bins = counts.sum(axis=1)
    assert bins.mean() == pytest.approx(mean, abs=5 * np.sqrt(variance / len(bins)))
    assert bins.var() == pytest.approx(variance, rel=0.05)
    # And each stretch of a bin is Poisson around the bin's factor: mean unchanged.
    np.testing.assert_allclose(counts.mean(axis=0), parts, atol=0.1)


def test_refuses_a_width_that_would_favour_a_strand():
    with pytest.raises(ValueError, match="width_bp 100 is even"):
        AssayConfig(depth=1, width_bp=100, background_per_kb=1)
