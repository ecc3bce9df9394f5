"""Distal accuracy of drawn blocks is that of the drawn promoters."""

import math

import numpy as np
import pandas as pd
import pytest

from regact.evaluation import distal_pairs, draw_blocks, judge_baseline, read_evidence, resample_distal_accuracy
from regact.evaluation.blocks import Blocks
from regact.evaluation.distal_accuracy import distal_accuracy_of
from regact.evaluation.distal_bootstrap import DistalEvidence


def random_pairs(seed, *, promoters=60, n_blocks=25):
    """Pairs of promoters in windows of one bin each, with three tracks each, and predictions that know something."""
    random = np.random.default_rng(seed)
    promoter = np.repeat(np.arange(promoters), 3)
    strength = random.normal(2, 1, promoters)[promoter]
    truth = 1.5 * strength + random.normal(0, 1, len(promoter))
    pairs = pd.DataFrame({
        "promoter": [f"p{number}" for number in promoter],
        "row": promoter + 7,
        "bin": 0,
        "track": np.tile([0, 4, 5], promoters),
        "log_rate": truth,
        "log_rate_within_reach": 0.3 * truth,
        "log_intrinsic": strength,
    })  # fmt: skip
    of_bin = np.sort(random.integers(0, n_blocks, promoters)).astype(np.int32)[:, None]
    blocks = Blocks("test", np.arange(promoters) + 7, of_bin, np.full(n_blocks, 500_000))
    predicted = 0.5 * truth + 0.8 * strength + random.normal(0, 0.5, len(promoter)) + pairs["track"].to_numpy()
    return pairs, predicted, blocks


def test_drawing_blocks_is_drawing_their_pairs():
    pairs, predicted, blocks = random_pairs(0)
    evidence = DistalEvidence.of(pairs, predicted, blocks)
    weights = draw_blocks(np.ones(25, dtype=bool), 30, seed=1)
    found = resample_distal_accuracy(evidence, weights)
    for draw, weight in enumerate(weights.astype(int)):
        chosen = np.concatenate(
            [np.flatnonzero(evidence.block == block) for b, n in enumerate(weight) for block in [b] * n]
        )
        named = pairs.iloc[chosen].assign(promoter=np.arange(len(chosen)))  # a promoter drawn twice is two
        again = distal_accuracy_of(named, predicted[chosen], split="test", reach_bp=1)
        assert found[draw] == pytest.approx(again.value, abs=1e-10)
    whole = distal_accuracy_of(pairs, predicted, split="test", reach_bp=1)
    assert resample_distal_accuracy(evidence, np.ones((1, 25)))[0] == pytest.approx(whole.value, abs=1e-12)
    assert found.std() > 0.01


def test_a_prediction_that_knows_the_promoter_alone_stays_0():
    pairs, _, blocks = random_pairs(1)
    evidence = DistalEvidence.of(pairs, 2 * pairs["log_intrinsic"].to_numpy() - 1, blocks)
    weights = draw_blocks(np.ones(25, dtype=bool), 20)
    np.testing.assert_array_equal(resample_distal_accuracy(evidence, weights), 0.0)


def test_a_draw_without_promoters_has_no_number():
    pairs, predicted, blocks = random_pairs(2, promoters=20, n_blocks=40)
    evidence = DistalEvidence.of(pairs, predicted, blocks)
    weights = np.zeros((1, 40))
    weights[0, np.setdiff1d(np.arange(40), evidence.block)[0]] = 40
    assert math.isnan(resample_distal_accuracy(evidence, weights)[0])
    assert evidence.n_blocks < 20


def test_evidence_of_a_judgement_is_of_its_promoters(simulated, tmp_path):
    (judged,) = judge_baseline(simulated.store, simulated.genome, splits=["test"], folder=tmp_path)
    evidence = read_evidence(judged.evidence).distal
    pairs = distal_pairs(simulated.folder, simulated.store, "test")
    assert len(np.unique(evidence.promoter)) == judged.distal.n_promoters
    n_blocks = read_evidence(judged.evidence).windows.n_blocks
    whole = resample_distal_accuracy(evidence, np.ones((1, n_blocks)))[0]
    assert whole == pytest.approx(judged.distal.value, abs=1e-9)
    tss = simulated.promoters.set_index("promoter")["tss"][pairs["promoter"]].to_numpy()
    assert (np.diff(evidence.block[np.argsort(tss)]) >= 0).all()  # one contig: blocks follow the genome
