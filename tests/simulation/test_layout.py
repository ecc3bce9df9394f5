from itertools import pairwise

import numpy as np

from regact.simulation.config import BackgroundConfig
from regact.simulation.genome import background_sequence
from regact.simulation.layout import plant_elements


def plant(truth, rng, length=400_000, **changes):
    codes, _ = background_sequence(length, BackgroundConfig(repeats=()), (), rng)
    before = codes.copy()
    layout = truth.config.layout.model_copy(update=changes)
    return before, codes, plant_elements(codes, truth.regulation, layout, truth.config.reach, rng)


def test_numbers_follow_from_spacing_and_shares(truth, rng):
    _, _, planted = plant(truth, rng, decoy_share=0.25, enhancers_per_promoter=1.5)
    found = {kind: sum(element.kind == kind for element in planted) for kind in ("promoter", "enhancer", "decoy")}
    promoters = round(400_000 / (0.32 * truth.config.reach))
    assert promoters * 0.95 <= found["promoter"] <= promoters
    assert abs(found["enhancer"] - 1.5 * promoters) < 0.05 * 1.5 * promoters
    assert abs(found["decoy"] - 0.5 * promoters) < 0.1 * promoters


def test_elements_keep_their_distance_and_nothing_else_changes(truth, rng):
    before, codes, planted = plant(truth, rng)
    gaps = [after.start - element.end for element, after in pairwise(planted)]
    assert min(gaps) >= truth.config.layout.gap_bp
    outside = np.ones(len(codes), bool)
    for element in planted:
        outside[element.start : element.end] = False
    np.testing.assert_array_equal(codes[outside], before[outside])


def test_promoters_stand_where_and_as_they_were_planted(truth, rng):
    _, codes, planted = plant(truth, rng)
    promoters = truth.regulation.activity(truth.regulation.scan(codes)).promoters
    core = promoters.tss - promoters.strand * truth.config.grammar.tss_offset_bp
    for element in planted:
        if element.kind != "promoter":
            continue
        inside = (core >= element.start) & (core < element.end) & (promoters.strand == element.strand)
        # Core and first proximal motif are bound half of the time at least; the weaker proximal motif adds 0.6.
        assert promoters.intrinsic[inside].max() >= 0.5 * 0.5 * 0.6


def test_decoys_are_clusters_without_any_active_site(truth, rng):
    _, codes, planted = plant(truth, rng)
    regulation = truth.regulation
    hits = regulation.scan(codes)
    sites, enhancer = regulation.enhancer_sites(hits), regulation.enhancer_hits(hits)
    numbers = {"enhancer": [], "decoy": []}
    for element in planted:
        if element.kind == "promoter":
            continue
        numbers[element.kind].append(((enhancer.centre >= element.start) & (enhancer.centre < element.end)).sum())
        if element.kind == "decoy":
            assert not ((sites.centre >= element.start) & (sites.centre < element.end)).any()
    # Decoys hold as many enhancer motifs as enhancers do.
    assert np.mean(numbers["decoy"]) > 1.5
    error = np.hypot(*(np.std(values) / np.sqrt(len(values)) for values in numbers.values()))
    assert abs(np.mean(numbers["decoy"]) - np.mean(numbers["enhancer"])) < 4 * error


def test_a_crowded_genome_takes_as_many_as_fit(truth, rng):
    _, _, planted = plant(truth, rng, length=40_000, promoter_spacing=0.01)
    assert 30 < len(planted) < 120
