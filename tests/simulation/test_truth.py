"""The truth as a function of sequence: symmetry, locality, and the effect of edits."""

import numpy as np
import pytest

from regact.errors import RunError
from regact.genome import Interval, encode, reverse_complement
from regact.simulation import load_truth

WINDOW = Interval("chr1", 393_216, 393_216 + 32_768)


@pytest.fixture(scope="module")
def window(simulated):
    return simulated.genome.fetch(WINDOW)


def swap(truth):
    """The strand swap as a permutation of tracks."""
    identifiers = [track.identifier for track in truth.tracks]
    return [identifiers.index(track.other_strand.identifier) for track in truth.tracks]


@pytest.mark.parametrize("bin_bp", [128, 16])
def test_the_other_strand_has_the_swapped_and_flipped_rate(truth, window, bin_bp):
    rate = truth.true_rate(window, bin_bp=bin_bp)
    mirrored = truth.true_rate(reverse_complement(window), bin_bp=bin_bp)
    assert rate.max() > 5
    np.testing.assert_allclose(mirrored, rate[swap(truth)][:, ::-1], rtol=1e-9)


def test_larger_bins_are_sums_of_smaller_ones(truth, window):
    np.testing.assert_allclose(
        truth.true_rate(window, bin_bp=1).reshape(16, -1, 128).sum(axis=2), truth.true_rate(window), rtol=1e-9
    )


def test_a_window_with_its_surroundings_has_the_contigs_rate(simulated):
    truth, genome = simulated.truth, simulated.genome
    contig = genome.contig("chr1")
    whole = truth.true_rate(contig[: len(contig) // 128 * 128])
    for start in (0, WINDOW.start, 128 * 7_000):
        found = truth.true_rate_in(genome, Interval("chr1", start, start + 32_768))
        np.testing.assert_allclose(found, whole[:, start // 128 : start // 128 + 256], rtol=1e-9)


def test_without_surroundings_far_enhancers_are_unknown(simulated, window):
    alone, within = simulated.truth.true_rate(window), simulated.truth.true_rate_in(simulated.genome, WINDOW)
    cage = [row for row, track in enumerate(simulated.truth.tracks) if track.assay == "CAGE"]
    assert (alone <= within + 1e-9).all()
    assert (within - alone)[cage].max() > 1


def test_no_edit_has_no_effect_and_equal_lengths_are_needed(truth, window):
    assert not truth.true_effect(window, window).any()
    with pytest.raises(ValueError, match="pad or cut alt"):
        truth.true_effect(window, window[:-128])
    with pytest.raises(ValueError, match="does not divide"):
        truth.true_rate(window[:-1])


def test_a_site_that_an_edit_makes_acts(simulated, window):
    """A new enhancer at the best distance upstream of a promoter raises its CAGE by activity times contact."""
    truth, promoters = simulated.truth, simulated.promoters
    contact = truth.regulation.contact
    inside = promoters[
        (promoters["chrom"] == WINDOW.chrom)
        & promoters["tss"].between(WINDOW.start + 14_000, WINDOW.end - 14_000)
        & (promoters["intrinsic"] > 0.3)
    ]
    assert len(inside) > 0
    row = inside.iloc[0]
    direction = 1 if row["strand"] == "+" else -1
    tss = row["tss"] - WINDOW.start
    alt = window.copy()
    centre = tss - direction * round(contact.far_centre)
    alt[centre - 5 : centre + 6] = encode("TGTTTACTTAG")
    alt[centre + 15 : centre + 26] = encode("TGACTCAGCAC")
    effect = truth.true_effect(window, alt, bin_bp=1)
    track = [t.identifier for t in truth.tracks].index("CAGE_liver_plus" if direction > 0 else "CAGE_liver_minus")
    raised = effect[track, tss - 4 : tss + 5].sum()
    assert raised >= 0.6 * 25 * row["intrinsic"]  # 0.93^2 if nothing stood there before
    dnase = effect[[t.identifier for t in truth.tracks].index("DNASE_liver")]
    assert dnase[centre - 90 : centre + 91].sum() > 10


def test_one_base_changes_only_what_its_sites_touch(truth, window, rng):
    """Most bases do nothing; where one does, tracks without strand change nearby only."""
    local = [row for row, track in enumerate(truth.tracks) if track.assay == "DNASE"]
    for place in rng.integers(1_000, len(window) - 1_000, 30):
        alt = window.copy()
        alt[place] = (alt[place] + 1) % 4
        effect = truth.true_effect(window, alt, bin_bp=1)[local]
        assert not effect[:, : place - 300].any()
        assert not effect[:, place + 300 :].any()


def test_an_unknown_sequence_has_the_background(truth):
    rate = truth.true_rate(np.full(1_280, 4, np.uint8))
    assays = truth.config.assays
    expected = [a.background_per_kb * 0.128 for a in (assays.cage, assays.cage, assays.dnase, assays.chip)] * 4
    np.testing.assert_allclose(rate, np.repeat(np.array(expected)[:, None], 10, axis=1))


def test_a_folder_of_something_else_is_refused(tmp_path):
    with pytest.raises(RunError, match=r"holds no simulation\.yaml"):
        load_truth(tmp_path)
