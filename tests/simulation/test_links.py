"""The tables against the sequence: elements really taken out, promoters really read."""

import numpy as np
import pandas as pd
import pytest

from regact.genome import Interval
from regact.simulation import promoters_in_windows
from regact.simulation.links import _apart

CELLS = ("liver", "blood", "brain", "skin")
EFFECTS = [f"effect_{cell}" for cell in CELLS]
RATES = [f"rate_{cell}" for cell in CELLS]


def effect_on_cage(simulated, element):
    """Per-base change of all CAGE tracks when the element's bases become N, on the stretch that it can touch."""
    truth, config = simulated.truth, simulated.config
    start = max(0, element["start"] - 2 * config.window_bp) // 128 * 128
    stretch = Interval(element["chrom"], start, start + 5 * config.window_bp)
    ref = simulated.genome.fetch(stretch)
    alt = ref.copy()
    alt[element["start"] - start : element["end"] - start] = 4
    rows = [[t.identifier for t in truth.tracks].index(f"CAGE_{cell}_plus") for cell in CELLS]
    effect = truth.true_effect(ref, alt, bin_bp=1)
    return start, {"+": effect[rows], "-": effect[[row + 1 for row in rows]]}


def chosen_elements(simulated):
    """Some enhancers and decoys of the first contig, whose flanks are whole."""
    table = simulated.elements
    inside = table[(table["chrom"] == "chr1") & (table["start"] > 70_000) & (table["end"] < 900_000)]
    return pd.concat([inside[inside["kind"] == kind].iloc[::40] for kind in ("enhancer", "decoy")])


def test_taking_an_element_out_of_the_sequence_has_the_tabled_effect_and_no_other(simulated):
    moved = 0
    for _, element in chosen_elements(simulated).iterrows():
        start, effect = effect_on_cage(simulated, element)
        pairs = simulated.links[simulated.links["element"] == element["element"]].merge(
            simulated.promoters[["promoter", "tss", "strand"]], on="promoter"
        )
        for _, pair in pairs.iterrows():
            at = pair["tss"] - start
            found = effect[pair["strand"]][:, at - 4 : at + 5]
            np.testing.assert_allclose(found.sum(axis=1), pair[EFFECTS].astype(float), atol=1e-4, rtol=1e-4)
            effect[pair["strand"]][:, at - 4 : at + 5] = 0
            moved += pair["relative_effect"] < -0.01
        # What is left is promoters too weak for the tables.
        assert max(np.abs(left).sum() for left in effect.values()) < 1.5
    assert moved > 20


def test_decoys_do_nothing_and_most_enhancers_do_something(simulated):
    links = simulated.links
    decoys = links[links["kind"] == "decoy"]
    assert len(decoys) > 1_000
    assert not decoys[EFFECTS].to_numpy().any()
    assert not decoys["link"].any()
    strongest = links[links["kind"] == "enhancer"].groupby("element")["relative_effect"].min()
    assert (strongest < -0.05).mean() > 0.6


def test_decoys_lie_at_the_distances_of_enhancers(simulated):
    distance = simulated.links["distance"].abs()
    enhancers, decoys = (np.sort(distance[simulated.links["kind"] == kind]) for kind in ("enhancer", "decoy"))
    grid = np.arange(0, simulated.config.window_bp // 2, 500)
    shares = [np.searchsorted(values, grid) / len(values) for values in (enhancers, decoys)]
    assert np.abs(shares[0] - shares[1]).max() < 0.06


def test_true_links_are_a_few_percent_of_the_pairs(simulated):
    assert 0.05 <= simulated.links["link"].mean() <= 0.10
    assert (simulated.links["link"] == (simulated.links["relative_effect"] <= -0.25)).all()
    assert (simulated.links["distance"].abs() < simulated.config.window_bp / 2).all()


def test_shares_of_activation_are_those_asked_for(simulated):
    links = simulated.links.merge(simulated.promoters[["promoter", "intrinsic"]], on="promoter")
    loss = -links[EFFECTS].sum(axis=1) / links["intrinsic"]
    assert loss[links["beyond_reach"]].sum() / loss.sum() == pytest.approx(0.6, abs=0.05)
    assert loss[links["distance"] < 0].sum() / loss.sum() == pytest.approx(0.8, abs=0.05)


def test_promoter_rates_are_those_of_the_sequence(simulated):
    truth = simulated.truth
    tracks = [track.identifier for track in truth.tracks]
    for _, row in simulated.promoters.iloc[10::60].iterrows():
        bins = Interval(row["chrom"], row["tss"] // 128 * 128 - 128, row["tss"] // 128 * 128 + 256)
        rate = truth.true_rate_in(simulated.genome, bins, bin_bp=1)
        at = row["tss"] - bins.start
        strand = "plus" if row["strand"] == "+" else "minus"
        for cell in CELLS:
            found = rate[tracks.index(f"CAGE_{cell}_{strand}"), at - 4 : at + 5].sum() - 9 * 0.2e-3
            assert found == pytest.approx(row[f"rate_{cell}"], rel=1e-3)


def test_share_beyond_reach_follows_from_the_two_rates(simulated):
    table = simulated.promoters
    for cell in CELLS:
        basal = 25 * 0.25 * table["intrinsic"]
        every, near = table[f"rate_{cell}"] - basal, table[f"rate_within_reach_{cell}"] - basal
        strong = every > 0.1
        np.testing.assert_allclose(table[f"share_beyond_{cell}"][strong], (1 - near / every)[strong], atol=2e-3)


def test_promoters_vary_in_what_enhancers_give_them(simulated):
    activation = simulated.promoters[RATES].div(25 * simulated.promoters["intrinsic"], axis=0)
    assert (np.log(activation).std() > 0.4).all()
    # Between cell types of one promoter too.
    assert np.log(activation).std(axis=1).median() > 0.2
    distal = simulated.promoters["share_beyond_reach"] >= 0.8
    assert 0.1 < distal.mean() < 0.5


def test_a_promoter_sees_its_elements_where_its_window_holds_them(simulated):
    windows = pd.DataFrame({"chrom": "chr1", "start": np.arange(0, 900_000, 32_768)})
    windows["end"] = windows["start"] + 32_768
    pairs = promoters_in_windows(simulated.promoters, windows, bin_bp=128)
    promoters = simulated.promoters.iloc[pairs["promoter_row"]].reset_index(drop=True)
    chosen = windows.iloc[pairs["window_row"]].reset_index(drop=True)
    np.testing.assert_array_equal((promoters["tss"] - chosen["start"]) // 128, pairs["bin"])
    assert pairs["bin"].between(0, 255).all()
    # These windows lie end to end from the contig's start, so the table's own mark must agree.
    np.testing.assert_array_equal(pairs["sees_elements"], promoters["sees_elements"])
    assert 0.1 < pairs["sees_elements"].mean() < 0.9


def test_what_a_promoter_needs_to_see_holds_nearly_all_of_its_activation(simulated):
    """Blanking everything outside the driving stretch leaves all but the sites below 2 % each."""
    truth, tracks = simulated.truth, [track.identifier for track in simulated.truth.tracks]
    promoters = simulated.promoters
    for _, row in promoters[promoters["chrom"] == "chr1"].iloc[20:200:45].iterrows():
        start = row["elements_start"] // 128 * 128
        stretch = Interval("chr1", start, start + -(-(row["elements_end"] - start) // 128) * 128)
        at = row["tss"] - start
        strand = "plus" if row["strand"] == "+" else "minus"
        rate = truth.true_rate(simulated.genome.fetch(stretch), bin_bp=1)
        seen = sum(rate[tracks.index(f"CAGE_{cell}_{strand}"), at - 4 : at + 5].sum() for cell in CELLS)
        assert seen > 0.85 * row[RATES].sum()


def test_names_are_unique_and_tables_refer_to_each_other(simulated):
    assert simulated.elements["element"].is_unique
    assert simulated.promoters["promoter"].is_unique
    assert set(simulated.links["promoter"]) <= set(simulated.promoters["promoter"])
    assert set(simulated.links["element"]) <= set(simulated.elements["element"])
    of_promoter = simulated.promoters.merge(simulated.elements, on="element", suffixes=("", "_element"))
    assert len(of_promoter) == len(simulated.promoters)
    assert (of_promoter["kind"] == "promoter").all()


def test_groups_hold_elements_that_are_far_apart(rng):
    start = np.sort(rng.integers(0, 100_000, 300))
    end = start + rng.integers(10, 200, 300)
    groups = list(_apart(start, end, 5_000))
    assert sorted(np.concatenate(groups)) == list(range(300))
    assert all((start[group][1:] - end[group][:-1] > 5_000).all() for group in groups)
    assert len(groups) < 60
