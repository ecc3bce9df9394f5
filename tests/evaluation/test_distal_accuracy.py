"""Distal accuracy against answers that are known, and against formulas worked out another way."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.errors import FormatError, RunError
from regact.evaluation import distal_pairs, measure_distal_accuracy, simulation_of
from regact.evaluation.distal_accuracy import LEAST_PROMOTERS, regress_out
from regact.genome import Interval


def window(data, row):
    table = data.store.windows.iloc[row]
    return Interval(table["chrom"], int(table["start"]), int(table["end"]))


def true_rates(data):
    """A predictor that knows everything: expected counts with the genome around, by the simulation's own function."""

    def rates_of(rows):
        crop = data.store.crop_bins
        rates = [data.truth.true_rate_in(data.genome, window(data, row)) for row in rows]
        return np.stack([rate[:, crop : rate.shape[1] - crop] for rate in rates])

    return rates_of


def put(pairs, store, log_rate):
    """A predictor that expects exp(log_rate) counts at each pair's place and nothing elsewhere."""

    def rates_of(rows):
        rates = np.zeros((len(rows), store.n_tracks, store.n_bins))
        for row, track, place, value in zip(pairs["row"], pairs["track"], pairs["bin"], log_rate, strict=True):
            rates[np.searchsorted(rows, row), track, place] = np.exp(value)
        return rates

    return rates_of


def correlation_after(left, right, known, track):
    """The same correlation by one least-squares fit with a column and a slope for each track."""
    dummies = (track[:, None] == np.unique(track)).astype(float)
    design = np.hstack([dummies, dummies * known[:, None]])
    left, right = (v - design @ np.linalg.lstsq(design, v, rcond=None)[0] for v in (left, right))
    return np.corrcoef(left, right)[0, 1]


@pytest.fixture(scope="module")
def pairs(simulated):
    return distal_pairs(simulated.folder, simulated.store, "test")


@pytest.mark.parametrize("crop_bins", [0, 8])
def test_a_perfect_prediction_has_1(simulated_with_crop, crop_bins):
    data = simulated_with_crop(crop_bins)
    pairs = distal_pairs(data.folder, data.store, "test")
    found = measure_distal_accuracy(pairs, true_rates(data), split="test", reach_bp=7_936)
    assert found.n_promoters == pairs["promoter"].nunique() >= LEAST_PROMOTERS
    assert found.value > 0.999
    assert 0.1 < found.within_reach < 0.9


@pytest.mark.parametrize("shape", [lambda s: 1.5 * s, lambda s: np.tanh(s), lambda s: 0 * s])
def test_a_prediction_that_knows_the_promoter_alone_has_about_0(simulated, pairs, shape):
    offset = pairs["track"].to_numpy() / 4  # every track may have a mean of its own
    rates_of = put(pairs, simulated.store, 3 + offset + shape(pairs["log_intrinsic"].to_numpy()))
    found = measure_distal_accuracy(pairs, rates_of, split="test", reach_bp=7_936)
    assert abs(found.value) < 2.5 / math.sqrt(found.n_promoters)


def test_the_ceiling_is_the_rate_of_a_sequence_whose_far_parts_are_unknown(simulated, pairs):
    reach = simulated.truth.config.reach
    assert reach == 7_936
    some = pairs[pairs["promoter"].isin(pairs["promoter"].unique()[:40])]
    tss = simulated.promoters.set_index("promoter")["tss"]
    near, background = [], 0.2 * 128 / 1000
    for pair in some.itertuples():
        # One base more: an element counts as within R where its sites' centres are.
        around = Interval(
            simulated.store.windows["chrom"].iloc[pair.row], *(tss[pair.promoter] + np.array([-1, 1]) * 8192)
        )
        codes = simulated.genome.fetch(around).copy()
        codes[: 8192 - reach - 1], codes[8192 + reach + 1 :] = 4, 4
        per_base = simulated.truth.true_rate(codes, bin_bp=1)[pair.track, 8192 - 4 : 8192 + 5]
        near.append(np.log(per_base.sum() + background * (1 - 9 / 128)))
    np.testing.assert_allclose(np.median(np.abs(some["log_rate_within_reach"] - near)), 0, atol=1e-4)
    known, track = some["log_intrinsic"].to_numpy(), some["track"].to_numpy()
    by_hand = correlation_after(np.array(near), some["log_rate"].to_numpy(), known, track)
    found = measure_distal_accuracy(some, true_rates(simulated), split="test", reach_bp=reach)
    assert found.within_reach == pytest.approx(by_hand, abs=0.03)


def test_the_number_is_a_partial_correlation(simulated, pairs):
    rng = np.random.default_rng(0)
    truth, known = pairs["log_rate"].to_numpy(), pairs["log_intrinsic"].to_numpy()
    predicted = 3 + 0.5 * truth + 0.7 * known + rng.normal(0, 0.4, len(pairs))
    found = measure_distal_accuracy(pairs, put(pairs, simulated.store, predicted), split="test", reach_bp=1)
    assert found.value == pytest.approx(correlation_after(predicted, truth, known, pairs["track"].to_numpy()), abs=1e-9)


def test_pairs_are_those_of_the_tables(simulated, pairs):
    windows = [window(simulated, row) for row in simulated.store.rows("test")]
    identifiers = simulated.store.sheet.identifiers
    expected = set()
    for promoter in simulated.promoters.itertuples():
        whole = [
            w for w in windows if w.chrom == promoter.chrom and w.start <= promoter.elements_start
            and promoter.elements_end <= w.end and w.start <= promoter.tss < w.end
        ]  # fmt: skip
        if promoter.share_beyond_reach >= 0.8 and whole and is_alone(promoter, simulated.promoters):
            strand = {"+": "plus", "-": "minus"}[promoter.strand]
            names = (f"CAGE_{cell}_{strand}" for cell in ("liver", "blood", "brain", "skin"))
            expected |= {(promoter.promoter, identifiers.index(name)) for name in names}
            nearest = min(abs((w.start + w.end) // 2 - promoter.tss) for w in whole)
            chosen = window(simulated, pairs.loc[pairs["promoter"] == promoter.promoter, "row"].iloc[0])
            assert abs((chosen.start + chosen.end) // 2 - promoter.tss) == nearest
    assert set(zip(pairs["promoter"], pairs["track"], strict=True)) == expected
    assert len(pairs) == len(expected)


def is_alone(promoter, promoters):
    """Windows begin at multiples of 128, so bins are the same in all of them."""

    def bins(tss):
        return {(tss - 4) // 128, (tss + 4) // 128}

    same = promoters[(promoters["chrom"] == promoter.chrom) & (promoters["strand"] == promoter.strand)]
    return len(bins(promoter.tss)) == 1 and sum(bool(bins(promoter.tss) & bins(tss)) for tss in same["tss"]) == 1


def test_too_few_promoters_have_no_number(simulated, pairs):
    few = pairs[pairs["promoter"].isin(pairs["promoter"].unique()[: LEAST_PROMOTERS - 1])]
    found = measure_distal_accuracy(few, true_rates(simulated), split="test", reach_bp=7_936)
    assert math.isnan(found.value)
    assert not found.is_computed
    assert "not computed: 19 promoters" in str(found)
    without_cage = pairs.iloc[:0]
    assert measure_distal_accuracy(without_cage, true_rates(simulated), split="test", reach_bp=1).n_promoters == 0


@given(st.integers(0, 2**32 - 1), st.floats(-5, 5), st.floats(-5, 5))
def test_what_is_regressed_out_leaves_nothing(seed, slope, offset):
    rng = np.random.default_rng(seed)
    values, known, track = rng.normal(size=40), rng.normal(size=40), rng.integers(0, 3, 40)
    left = regress_out(values, known, track)
    for one in np.unique(track):
        ours = track == one
        assert abs(left[ours].sum()) < 1e-9
        assert abs(left[ours] @ known[ours]) < 1e-9
    np.testing.assert_allclose(regress_out(values + offset * track + slope * known, known, track), left, atol=1e-9)


def test_a_genome_that_is_not_simulated(planted):
    assert simulation_of(planted.genome) is None


def test_folders_that_lack_something(simulated, tmp_path):
    assert simulation_of(simulated.genome) == simulated.folder
    with pytest.raises(RunError, match=r"simulation\.yaml"):
        distal_pairs(tmp_path, simulated.store, "test")
    (tmp_path / "simulation.yaml").write_bytes((simulated.folder / "simulation.yaml").read_bytes())
    with pytest.raises(FormatError, match=r"promoters\.tsv"):
        distal_pairs(tmp_path, simulated.store, "test")
