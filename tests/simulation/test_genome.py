import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regact.genome import reverse_complement
from regact.simulation.config import BackgroundConfig
from regact.simulation.genome import background_sequence, gc_along, repeat_consensus


@settings(deadline=None, max_examples=20)
@given(st.floats(0.3, 0.7), st.integers(0, 2**32))
def test_gc_is_what_is_wanted(gc, seed):
    config = BackgroundConfig(gc=gc, gc_sd=0.03, repeats=())
    codes, _ = background_sequence(300_000, config, (), np.random.default_rng(seed))
    assert np.isin(codes, (1, 2)).mean() == pytest.approx(gc, abs=5 * np.sqrt(gc * (1 - gc) / 300_000))
    # Both bases of a pair are equally likely.
    assert (codes == 0).mean() == pytest.approx((codes == 3).mean(), abs=0.01)


def test_gc_drifts_with_the_stated_size_and_scale(rng):
    config = BackgroundConfig(gc=0.4, gc_sd=0.05, gc_scale_bp=20_000)
    drift = gc_along(40_000_000, config, rng) - 0.4
    assert drift.std() == pytest.approx(0.05, rel=0.1)
    lag = 20  # kilobases: one scale
    assert np.mean(drift[lag:] * drift[:-lag]) / drift.var() == pytest.approx(np.exp(-1), abs=0.06)


def test_repeats_cover_their_share_and_diverge_as_stated(rng):
    family = {"length_bp": 400, "divergence": 0.1, "share": 0.1}
    config = BackgroundConfig(repeats=(family,))
    consensus = repeat_consensus(config, rng)
    codes, copies = background_sequence(1_000_000, config, consensus, rng)
    assert len(consensus[0]) == 400
    covered = np.zeros(len(codes), bool)
    for copy in copies:
        covered[copy.start : copy.end] = True
    assert covered.mean() == pytest.approx(1 - np.exp(-0.1), abs=0.01)  # copies may cover each other
    different = []
    for number, copy in enumerate(copies):
        neighbours = copies[max(0, number - 1) : number] + copies[number + 1 : number + 2]
        if any(other.end > copy.start and other.start < copy.end for other in neighbours):
            continue
        found = codes[copy.start : copy.end]
        found = found if copy.strand > 0 else reverse_complement(found)
        different.append(found != consensus[0][400 - len(found) :])
    assert len(different) > 100
    assert np.concatenate(different).mean() == pytest.approx(0.1, abs=0.01)


def test_a_contig_of_any_length(rng):
    config = BackgroundConfig(repeats=())
    for length in (1, 999, 1_000, 1_000_001):
        assert len(background_sequence(length, config, (), rng)[0]) == length
