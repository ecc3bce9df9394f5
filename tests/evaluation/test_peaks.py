"""Peaks, AUROC and AUPRC against definitions written out as loops."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from regact.evaluation.peaks import auprc, auroc, call_peaks, measure_peaks, peak_accuracy

size = st.shared(st.integers(2, 40), key="n")
scores = hnp.arrays(np.float32, size, elements=st.integers(0, 6).map(float))
labels = hnp.arrays(bool, size)
counts = hnp.arrays(np.float32, st.integers(1, 60), elements=st.integers(0, 30).map(float))


def peaks_by_hand(counts, rate):
    """Poisson tails summed term by term, Benjamini and Hochberg's step-up rule bin by bin."""
    mean = float(np.mean(counts))
    p = [1 - math.fsum(math.exp(-mean) * mean**k / math.factorial(k) for k in range(round(float(y)))) for y in counts]
    order = sorted(range(len(p)), key=p.__getitem__)
    rejected = max((rank for rank, i in enumerate(order, start=1) if p[i] < rate * rank / len(p)), default=0)
    return np.array([p[i] <= p[order[rejected - 1]] if rejected else False for i in range(len(p))])


@given(counts)
def test_peaks_are_those_of_the_step_up_rule(counts):
    np.testing.assert_array_equal(call_peaks(counts), peaks_by_hand(counts, 0.01))


def test_a_bin_stands_out_of_noise_and_noise_does_not():
    rng = np.random.default_rng(0)
    noise = rng.poisson(2, 5_000).astype(np.float32)
    assert not call_peaks(noise).any()  # 1 % of false ones among the peaks, not among the bins
    noise[[7, 4_000]] = 25
    assert np.flatnonzero(call_peaks(noise)).tolist() == [7, 4_000]


def test_no_q_value_is_rounded_down_to_a_peak():
    """Floor division, as in Basenji, makes a peak of every bin with q < 1: here of the 20 bins with a 3, q = 0.06."""
    counts = np.zeros(1_000, np.float32)
    counts[:20], counts[20:400] = 3, 1
    assert not call_peaks(counts).any()


@given(scores, labels)
def test_auroc_is_the_share_of_ordered_pairs(scores, labels):
    pairs = [(a > b) + (a == b) / 2 for a in scores[labels] for b in scores[~labels]]
    found = auroc(scores, labels)
    assert math.isnan(found) if not pairs else found == pytest.approx(np.mean(pairs))


@given(scores, labels)
def test_auprc_is_the_mean_precision_at_the_peaks(scores, labels):
    at_peaks = [labels[scores >= scores[i]].mean() for i in np.flatnonzero(labels)]
    found = auprc(scores, labels)
    if labels.all() or not labels.any():
        assert math.isnan(found)
    else:
        assert found == pytest.approx(np.mean(at_peaks))


def test_a_perfect_and_a_useless_prediction():
    measured = np.r_[np.zeros(90), np.full(10, 40)].astype(np.float32)
    perfect = peak_accuracy(measured + 1, measured)
    assert perfect == (10, pytest.approx(0.1), 1, pytest.approx(1))
    useless = peak_accuracy(np.ones(100, np.float32), measured)
    assert (useless.auroc, useless.auprc) == (0.5, pytest.approx(0.1))


def test_every_track_of_the_split(masked_predictions):
    predictions, predicted, measured = masked_predictions
    tracks = measure_peaks(predictions).tables["peaks"]
    for row, (p, y) in enumerate(zip(predicted, measured, strict=True)):
        is_peak = peaks_by_hand(y, 0.01)
        assert tracks["peaks"].iloc[row] == is_peak.sum()
        assert tracks["auroc"].iloc[row] == pytest.approx(auroc(p, is_peak), nan_ok=True)


def test_a_track_without_peaks_is_named(flat_predictions):
    found = measure_peaks(flat_predictions)
    assert found.tables["peaks"]["peaks"].iloc[2] == 0
    assert any("no auroc, no bin is a peak or every one is" in remark and "both" in remark for remark in found.remarks)
