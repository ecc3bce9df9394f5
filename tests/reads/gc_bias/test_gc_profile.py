"""Coverage against GC: windows counted by hand, and what a perfect correction does to them."""

import numpy as np
import pytest

from regact.genome import load_genome
from regact.reads.alignments import Alignments
from regact.reads.gc_bias.gc_profile import GcProfile, count_by_gc
from regact.reads.layout import GenomeLayout


def test_fragments_are_counted_by_their_centre_in_windows_without_n(tmp_path):
    fasta = tmp_path / "g.fa"
    # Windows of 10: GC 1, 0, one with an N, 0.5; five bases left over; a contig of its own of GC 0.2.
    fasta.write_text(">a\n" + "G" * 10 + "A" * 10 + "ACGTNACGTA" + "GCGCGAAAAA" + "CCCCC" + "\n>b\nggAAAAAAAA\n")
    genome = load_genome(fasta)
    layout = GenomeLayout.from_lengths(genome.lengths)
    start = np.array([0, 6, 8, 22, 35, 43, 45, 48])
    length = np.array([4, 9, 6, 4, 4, 2, 2, 4], np.int32)
    alignments = Alignments(np.arange(9), start, start, length, np.ones(8, np.int8), np.zeros(8, np.int32))
    weight = np.array([1, 1, 0.5, 1, 1, 1, 1, 1])
    windows = count_by_gc(genome, layout, alignments, weight, 2 * weight, window_bp=10)
    np.testing.assert_allclose(windows.gc, [1, 0, 0.5, 0.2])
    # Centres: 2; 10 and 11; 24 (N); 37; 44 (left over); 46 and 50 (contig b).
    np.testing.assert_allclose(windows.before, [1, 1.5, 1, 2])
    np.testing.assert_allclose(windows.after, 2 * windows.before)


@pytest.fixture
def biased() -> GcProfile:
    rng = np.random.default_rng(4)
    gc = np.clip(rng.normal(0.42, 0.06, 5_000), 0, 1)
    factor = np.exp(4 * (gc - 0.42))
    before = rng.poisson(200 * factor).astype(float)
    return GcProfile(gc, before, before / factor)


def test_correlation_and_groups_see_a_bias_and_its_correction(biased):
    assert biased.correlation(biased.before) == pytest.approx(np.corrcoef(biased.gc, biased.before)[0, 1])
    assert biased.correlation(biased.before) > 0.9
    assert abs(biased.correlation(biased.after)) < 0.05
    assert GcProfile(biased.gc, biased.before, np.ones(5_000)).correlation(np.ones(5_000)) is None
    windows, (gc, before, after) = biased.group_means(np.array([0, 0.3, 0.4, 0.5, 1.0]))
    assert windows.sum() == 5_000
    assert np.average(gc, weights=windows) == pytest.approx(biased.gc.mean())
    assert np.average(before, weights=windows) == pytest.approx(1)
    assert (np.diff(before) > 0.2).all()
    np.testing.assert_allclose(after, 1, atol=0.03)


def test_deciles_are_tenths_of_the_windows(biased):
    gc, before, after = biased.deciles()
    assert (np.diff(gc) > 0).all()
    assert before.mean() == pytest.approx(1)
    assert np.abs(after - 1).max() < 0.02 < np.abs(before - 1).max()


def test_windows_with_few_fragments_can_be_left_out(biased):
    kept = biased.where(least_fragments=200)
    assert len(kept) == (biased.before >= 200).sum()
    assert kept.before.min() >= 200


def test_groups_without_windows_have_no_mean(biased):
    windows, means = biased.group_means(np.array([0, 0.001, 1.0]))
    assert windows.tolist() == [0, 5_000]
    assert np.isnan(means[:, 0]).all()
