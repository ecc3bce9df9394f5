"""Where elements are planted, and the sites they are made of.

A cluster is a partner site with enhancer motifs around it; in a decoy the partner's place is left as it was.
Clusters lie anywhere with equal probability, so decoys have the same distances to promoters as active elements have.
"""

from bisect import bisect_left, insort
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import UInt8

from regact.genome import reverse_complement
from regact.simulation.config import LayoutConfig
from regact.simulation.motif import Motif
from regact.simulation.regulation import Regulation
from regact.simulation.scan import scan

Kind = Literal["promoter", "enhancer", "decoy"]
# The motif that decides whether an element exists at all is well bound; the others are as their matrix gives them.
_LEAST_OCCUPANCY = 0.5
_TRIES = 50


@dataclass(frozen=True)
class PlantedElement:
    """A promoter, enhancer or decoy as it was planted: the bases `start` to `end` hold its sites."""

    kind: Kind
    start: int
    end: int
    strand: int


@dataclass(frozen=True)
class _Site:
    """A motif instance; `offset` is from the element's anchor to the site's centre, in the element's direction."""

    motif: Motif
    offset: int
    strand: int
    least_occupancy: float = 0.0


def plant_elements(
    codes: UInt8[np.ndarray, " position"],
    regulation: Regulation,
    config: LayoutConfig,
    reach_bp: int,
    rng: np.random.Generator,
) -> list[PlantedElement]:
    """Write promoters, enhancers and decoys into `codes` (changed in place); returns them in order of position.

    As many as fit: an element that finds no free place in 50 tries is left out.
    """
    promoters = round(len(codes) / (config.promoter_spacing * reach_bp))
    clusters = round(promoters * config.enhancers_per_promoter / (1 - config.decoy_share))
    decoys = round(clusters * config.decoy_share)
    counts: dict[Kind, int] = {"promoter": promoters, "enhancer": clusters - decoys, "decoy": decoys}
    kinds = [kind for kind, count in counts.items() for _ in range(count)]
    taken: list[tuple[int, int]] = []
    planted = []
    # In random order, so that a crowded genome is not short of one kind alone.
    for index in rng.permutation(len(kinds)):
        element = _plant(codes, kinds[index], regulation, config, taken, rng)
        if element is not None:
            insort(taken, (element.start, element.end))
            planted.append(element)
    return sorted(planted, key=lambda element: element.start)


def _plant(
    codes: UInt8[np.ndarray, " position"],
    kind: Kind,
    regulation: Regulation,
    config: LayoutConfig,
    taken: list[tuple[int, int]],
    rng: np.random.Generator,
) -> PlantedElement | None:
    """Write one element into a free place of `codes`; None where none was found. `taken` is sorted."""
    sites = _draw_sites(kind, regulation, config, rng)
    first = min(site.offset - site.motif.width // 2 for site in sites)
    size = max(site.offset + site.motif.width // 2 for site in sites) - first + 1
    strand = _either(rng)
    for _ in range(_TRIES):
        start = int(rng.integers(0, len(codes) - size + 1))
        if not _is_free(start - config.gap_bp, start + size + config.gap_bp, taken):
            continue
        background = codes[start : start + size].copy()
        _write(codes[start : start + size], sites, first, strand, rng)
        if kind != "decoy" or not _has_partner(codes, start, start + size, regulation):
            return PlantedElement(kind, start, start + size, strand)
        codes[start : start + size] = background
    return None


def _draw_sites(kind: Kind, regulation: Regulation, config: LayoutConfig, rng: np.random.Generator) -> list[_Site]:
    if kind == "promoter":
        return _promoter_sites(regulation, config, rng)
    count = int(rng.integers(1, config.most_enhancer_sites + 1))
    motifs = regulation.enhancer_motifs
    first = int(rng.integers(len(motifs)))
    sites = [] if kind == "decoy" else [_Site(regulation.partner, 0, _either(rng), _LEAST_OCCUPANCY)]
    for number in range(count):
        same = number == 0 or rng.random() < config.same_motif_share
        motif = motifs[first if same else int(rng.integers(len(motifs)))]
        # Alternately right and left of the partner: +1, -1, +2, -2 steps.
        step = (number // 2 + 1) * (1 if number % 2 == 0 else -1)
        sites.append(_Site(motif, _offset(step, config, rng), _either(rng)))
    return sites


def _promoter_sites(regulation: Regulation, config: LayoutConfig, rng: np.random.Generator) -> list[_Site]:
    sites = [_Site(regulation.core, 0, 1, _LEAST_OCCUPANCY)]
    motifs = regulation.proximal_motifs
    for number in range(int(rng.integers(1, config.most_proximal_sites + 1))):
        motif = motifs[int(rng.integers(len(motifs)))]
        least = _LEAST_OCCUPANCY if number == 0 else 0.0
        sites.append(_Site(motif, _offset(-(number + 1), config, rng), _either(rng), least))
    return sites


def _offset(step: int, config: LayoutConfig, rng: np.random.Generator) -> int:
    return step * config.site_step_bp + int(rng.integers(-config.site_jitter_bp, config.site_jitter_bp + 1))


def _either(rng: np.random.Generator) -> int:
    return 1 if rng.random() < 0.5 else -1


def _is_free(start: int, end: int, taken: list[tuple[int, int]]) -> bool:
    after = bisect_left(taken, (end,))
    return after == 0 or taken[after - 1][1] <= start


def _has_partner(codes: UInt8[np.ndarray, " position"], start: int, end: int, regulation: Regulation) -> bool:
    """Whether chance has put a partner site where it would make a decoy active."""
    margin = regulation.grammar.partner_within_bp + regulation.partner.width
    return len(scan(codes[max(0, start - margin) : end + margin], (regulation.partner,))) > 0


def _write(
    codes: UInt8[np.ndarray, " position"], sites: list[_Site], first: int, strand: int, rng: np.random.Generator
) -> None:
    """Write an instance of each site into `codes`, an element's stretch that begins at offset `first`."""
    stretch = codes.copy() if strand > 0 else reverse_complement(codes)
    for site in sites:
        instance = site.motif.sample(rng, least_occupancy=site.least_occupancy)
        left = site.offset - site.motif.width // 2 - first
        stretch[left : left + site.motif.width] = instance if site.strand > 0 else reverse_complement(instance)
    codes[:] = stretch if strand > 0 else reverse_complement(stretch)
