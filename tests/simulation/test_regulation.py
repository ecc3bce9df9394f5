"""Sequence to activity, on sequences built by hand: what one site, one partner, one distance does."""

import numpy as np
import pytest

from regact.genome import encode, reverse_complement
from regact.simulation.regulation import _pairs_within

LENGTH = 40_000
CORE, SP, FOX, PARTNER = "GCTATAAAAGGGC", "AGGGCGGGGCT", "TGTTTACTTAG", "TGACTCAGCAC"


def build(*sites):
    """A sequence without any site but (text, centre) of these; a poly-A background binds nothing."""
    codes = np.zeros(LENGTH, np.uint8)
    for text, centre in sites:
        codes[centre - len(text) // 2 : centre + len(text) // 2 + 1] = encode(text)
    return codes


def act(truth, codes):
    return truth.regulation.activity(truth.regulation.scan(codes))


def full_occupancy(truth, name):
    motif = next(motif for motif in truth.regulation.motifs if motif.name == name)
    return motif.occupancy(motif.scores[:, :4].max(axis=1).sum(keepdims=True))[0]


def test_a_promoter_is_core_times_proximal_strength(truth):
    activity = act(truth, build((CORE, 20_000), (SP, 19_960)))
    assert activity.promoters.tss.tolist() == [20_031]
    assert activity.promoters.strand.tolist() == [1]
    expected = full_occupancy(truth, "tata") * full_occupancy(truth, "sp") * 1.0
    assert activity.promoters.intrinsic[0] == pytest.approx(expected)
    np.testing.assert_allclose(activity.rate, 0.25 * expected)


def test_a_core_motif_alone_is_no_promoter(truth):
    assert len(act(truth, build((CORE, 20_000))).promoters.tss) == 0
    assert len(act(truth, build((CORE, 20_000), (SP, 20_000 + 121))).promoters.tss) == 0


def test_an_enhancer_motif_needs_its_partner_near(truth):
    within = truth.config.grammar.partner_within_bp
    assert len(act(truth, build((FOX, 9_000))).sites.centre) == 0
    assert len(act(truth, build((FOX, 9_000), (PARTNER, 9_000 + within + 1))).sites.centre) == 0
    sites = act(truth, build((FOX, 9_000), (PARTNER, 9_000 + within))).sites
    expected = full_occupancy(truth, "fox") * full_occupancy(truth, "ap1")
    np.testing.assert_allclose(sites.activity, [expected * np.array([1.0, 0.4, 0.15, 0.0])])


def test_two_partners_are_one_or_the_other(truth):
    sites = act(truth, build((FOX, 9_000), (PARTNER, 9_030), (PARTNER, 8_970))).sites
    bound = 1 - (1 - full_occupancy(truth, "ap1")) ** 2
    assert sites.activity[0, 0] == pytest.approx(full_occupancy(truth, "fox") * bound)


@pytest.mark.parametrize("reaches", [-1.45, -0.2, 0.3, 1.5])
def test_rate_adds_activity_times_contact_at_the_signed_distance(truth, reaches):
    distance = round(reaches * truth.config.reach)
    tss = 20_031
    codes = build((CORE, 20_000), (SP, 19_960), (FOX, tss + distance), (PARTNER, tss + distance + 30))
    activity = act(truth, codes)
    added = activity.sites.activity[0] * truth.regulation.contact(np.array(distance))
    assert added[0] > 0.05
    np.testing.assert_allclose(activity.rate[0], activity.promoters.intrinsic[0] * (0.25 + added))


def test_distance_counts_in_the_promoters_direction(truth):
    """An enhancer upstream in the promoter's direction acts the same on either strand, and more than downstream."""
    distance = round(1.45 * truth.config.reach)
    upstream = build((CORE, 20_000), (SP, 19_960), (FOX, 20_031 - distance), (PARTNER, 20_061 - distance))
    downstream = build((CORE, 20_000), (SP, 19_960), (FOX, 20_031 + distance), (PARTNER, 20_061 + distance))
    ahead, behind = act(truth, upstream), act(truth, downstream)
    mirrored = act(truth, reverse_complement(upstream))
    assert mirrored.promoters.strand.tolist() == [-1]
    np.testing.assert_allclose(mirrored.rate, ahead.rate)
    activation_ahead, activation_behind = (a.rate / a.promoters.intrinsic[:, None] - 0.25 for a in (ahead, behind))
    np.testing.assert_allclose(activation_behind, activation_ahead * 0.25, atol=1e-12)


def test_activation_within_a_distance_leaves_farther_sites_out(truth):
    tss, reach = 20_031, truth.config.reach
    near, far = (tss - reach // 5, tss - round(1.45 * reach))
    pairs = [(FOX, near), (PARTNER, near + 30), (FOX, far), (PARTNER, far + 30)]
    activity = act(truth, build((CORE, 20_000), (SP, 19_960), *pairs))
    regulation = truth.regulation
    every = regulation.activation(activity.promoters, activity.sites)
    within = regulation.activation(activity.promoters, activity.sites, within_bp=reach)
    contact = regulation.contact(np.array([near - tss, far - tss]))
    assert within[0, 0] / every[0, 0] == pytest.approx(contact[0] / contact.sum())


def test_pairs_within_a_distance_match_a_plain_loop(rng):
    ours, theirs = rng.integers(0, 500, 40), np.sort(rng.integers(0, 500, 60))
    of, near = _pairs_within(ours, theirs, 25)
    expected = [(i, j) for i, a in enumerate(ours) for j, b in enumerate(theirs) if abs(a - b) <= 25]
    assert list(zip(of.tolist(), near.tolist(), strict=True)) == expected
