import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.simulation.motif import (
    IUPAC_BASES,
    SCORE_UNITS_PER_BIT,
    build_motif,
    information_bits,
    largest_information_bits,
)

consensus = st.text("".join(set(IUPAC_BASES) - {"N"}), min_size=5, max_size=15)


@given(consensus, st.floats(0.05, 1.0))
def test_the_matrix_has_the_stated_information(letters, share):
    bits = share * largest_information_bits(letters)
    motif = build_motif("m", letters, bits)
    np.testing.assert_allclose(motif.probabilities.sum(axis=1), 1)
    # Information content, written out: sum over positions and bases of p log2(p / 0.25).
    written_out = sum(p * np.log2(p / 0.25) for row in motif.probabilities for p in row if p > 0)
    assert written_out == pytest.approx(bits, abs=1e-5)
    assert information_bits(motif.probabilities) == pytest.approx(bits, abs=1e-5)


def test_degenerate_letters_share_their_probability():
    matrix = build_motif("m", "ARN", 2.0).probabilities
    assert matrix[1, 0] == matrix[1, 2] > matrix[1, 1] == matrix[1, 3]
    np.testing.assert_allclose(matrix[2], 0.25)


def test_sites_score_the_information_on_average(rng):
    motif = build_motif("m", "AGATAAGATTC", 15.0)
    rows = np.arange(motif.width)
    scores = [motif.scores[rows, motif.sample(rng)].sum() / SCORE_UNITS_PER_BIT for _ in range(2_000)]
    assert np.mean(scores) == pytest.approx(15.0, abs=4 * np.std(scores) / np.sqrt(len(scores)))


def test_sampled_sites_follow_the_matrix(rng):
    motif = build_motif("m", "AGATAAGATTC", 12.0)
    sites = np.array([motif.sample(rng) for _ in range(4_000)])
    found = np.stack([(sites == code).mean(axis=0) for code in range(4)], axis=1)
    np.testing.assert_allclose(found, motif.probabilities, atol=0.04)


def test_occupancy_is_half_at_the_information_and_graded():
    motif = build_motif("m", "AGATAAGATTC", 15.0, scale_bits=2.0, smallest_occupancy=0.02)
    scores = np.array([15_000, 17_000, 13_000, 7_000])
    np.testing.assert_allclose(motif.occupancy(scores), [0.5, 1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1)), 0.0])
    assert motif.occupancy(np.array([motif.smallest_score]))[0] >= 0.02
    assert motif.occupancy(np.array([motif.smallest_score - 1]))[0] == 0


def test_a_site_can_be_asked_to_be_well_bound(rng):
    motif = build_motif("m", "AGATAAGATTC", 12.0)
    rows = np.arange(motif.width)
    for _ in range(50):
        codes = motif.sample(rng, least_occupancy=0.8)
        assert motif.occupancy(motif.scores[rows, codes].sum(keepdims=True))[0] >= 0.8


def test_refuses_more_than_the_consensus_can_carry(rng):
    with pytest.raises(ValueError, match=r"16 bits; ACGTACG can carry .* at most 14\.00"):
        build_motif("m", "ACGTACG", 16.0)
    with pytest.raises(ValueError, match="no site of motif m"):
        build_motif("m", "ACGTACG", 14.0).sample(rng, least_occupancy=0.99)
