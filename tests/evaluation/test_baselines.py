"""The 4-mer ridge: counts against a plain loop, the solution against the textbook's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regact.evaluation import baselines, evaluate_kmer_ridge, fit_kmer_ridge
from regact.evaluation.baselines import PENALTIES, _Moments, kmer_counts, mirrored_features
from regact.genome import encode, reverse_complement


@given(text=st.text(alphabet="ACGTN", min_size=12, max_size=60), bin_bp=st.integers(3, 9))
@settings(deadline=None)
def test_counts_equal_a_plain_loop(text, bin_bp):
    counts = kmer_counts(encode(text), bin_bp, k=2)
    expected = np.zeros_like(counts)
    for start in range(len(text) - 1):
        kmer, place = text[start : start + 2], start // bin_bp
        if "N" not in kmer and place < len(expected):
            expected[place, 4 * "ACGT".index(kmer[0]) + "ACGT".index(kmer[1])] += 1
    np.testing.assert_array_equal(counts, expected)


def test_the_solution_is_the_textbooks():
    rng = np.random.default_rng(0)
    x, y = rng.poisson(3, (200, 5)), rng.poisson(2, (200, 2))
    ridge = _Moments.of(iter([(x[:150], y[:150]), (x[150:], y[150:])])).solve(0.3)
    scaled, target = (x - x.mean(0)) / x.std(0), np.log1p(y)
    weights = np.linalg.solve(scaled.T @ scaled + 200 * 0.3 * np.eye(5), scaled.T @ (target - target.mean(0)))
    np.testing.assert_allclose(ridge.predict(x.astype(np.float32)), scaled @ weights + target.mean(0), rtol=1e-6)


def test_a_kmer_that_never_varies_has_no_weight():
    x = np.column_stack([np.arange(20) % 2, np.full(20, 7)])
    ridge = _Moments.of(iter([(x, x[:, :1])])).solve(1e-6)
    np.testing.assert_allclose(ridge.weights[1], 0, atol=1e-6)
    np.testing.assert_allclose(ridge.predict(x), np.log1p(x[:, :1]), atol=1e-4)


def test_moments_of_both_strands_are_those_of_the_bins_and_their_mirror_images():
    rng = np.random.default_rng(0)
    mirror, pair = mirrored_features(), np.array([1, 0, 2])
    x, y = rng.poisson(0.5, (30, 768)), rng.poisson(2, (30, 3))
    both = _Moments.of(iter([(x, y)])).both_strands(pair)
    expected = _Moments.of(iter([(x, y), (x[:, mirror], y[:, pair])]))
    for name, value in vars(expected).items():
        np.testing.assert_allclose(getattr(both, name), value, err_msg=name)


def test_mirrored_features_are_the_counts_of_the_reverse_complement():
    codes = encode("".join(np.random.default_rng(0).choice(list("ACGT"), 4 * 50 + 3)))
    left, here, right = (kmer_counts(codes, 200)[0], np.zeros(256), np.zeros(256))
    other = kmer_counts(reverse_complement(codes), 200)[0]  # one bin that holds every k-mer's start on either strand
    assert np.array_equal(np.concatenate([left, here, right])[mirrored_features()][512:], other)


def test_a_strand_is_not_favoured(planted):
    ridge = fit_kmer_ridge(planted.store, planted.genome)
    swapped = ridge.weights[mirrored_features()][:, planted.store.sheet.strand_pair]
    np.testing.assert_allclose(swapped, ridge.weights, atol=1e-9)


def test_it_finds_what_composition_tells(planted):
    ridge = fit_kmer_ridge(planted.store, planted.genome)
    assert ridge.weights.shape == (3 * 256, 3)
    accuracy = evaluate_kmer_ridge(ridge, planted.store, planted.genome, split="test")
    assert (accuracy.predictor, accuracy.split, accuracy.n_windows) == ("4-mer ridge", "test", 12)
    assert accuracy.means["pearson_log1p"] > 0.3  # the motif's 4-mers are rare elsewhere


def test_the_penalty_is_the_one_that_predicts_validation_best(planted, monkeypatch):
    def fit(*penalties):
        monkeypatch.setattr(baselines, "PENALTIES", penalties)
        return fit_kmer_ridge(planted.store, planted.genome)

    def score(ridge):
        return evaluate_kmer_ridge(ridge, planted.store, planted.genome, split="valid").means["pearson_log1p"]

    best = max(PENALTIES, key=lambda penalty: score(fit(penalty)))
    others = [penalty for penalty in PENALTIES if penalty != best]
    for place in range(len(PENALTIES)):  # wherever it stands among them
        assert fit(*others[:place], best, *others[place:]).penalty == best


def test_neighbours_are_read_from_the_genome_beyond_the_window(planted):
    few = fit_kmer_ridge(planted.store, planted.genome, max_windows=3)
    assert np.isfinite(few.weights).all()
    with pytest.raises(ValueError, match="split"):
        evaluate_kmer_ridge(few, planted.store, planted.genome, split="tset")
