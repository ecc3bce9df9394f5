"""What a simulated genome turned out to be: the figures on its card."""

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from regact.simulation.contig import SimulatedContig
from regact.simulation.truth import Truth

_BOUND = 0.5  # a motif hit, as a motif search would call it
_MOSTLY = 0.8


def count_motifs(truth: Truth, contig: SimulatedContig) -> Counter[str]:
    """Bases, G and C, and enhancer motifs of a contig that are bound at least half of the time, alone or active."""
    enhancer = truth.regulation.enhancer_hits(contig.hits)
    bound = enhancer.occupancy >= _BOUND
    partner = truth.regulation.partner_bound(enhancer, contig.hits) >= _BOUND
    return Counter(
        bases=len(contig.codes),
        gc_bases=int(np.isin(contig.codes, (1, 2)).sum()),
        enhancer_motifs=int(bound.sum()),
        enhancer_motifs_without_partner=int((bound & ~partner).sum()),
    )


def summarise(
    truth: Truth, elements: pd.DataFrame, promoters: pd.DataFrame, links: pd.DataFrame, counted: Counter[str]
) -> dict[str, Any]:
    """The figures of a whole genome: numbers of things, and the shares that the settings ask for as they came out."""
    cells = truth.config.grammar.cell_types
    chance = elements[~elements["planted"]]
    distal = promoters["share_beyond_reach"] >= _MOSTLY
    effect = links.filter(regex="^effect_").sum(axis=1)
    return {
        "bases": counted["bases"],
        "gc": _share(counted["gc_bases"], counted["bases"]),
        "tracks": len(truth.tracks),
        "elements": {kind: int(number) for kind, number in elements["kind"].value_counts().sort_index().items()},
        "made_by_chance": {kind: int(number) for kind, number in chance["kind"].value_counts().sort_index().items()},
        "enhancer_motifs": counted["enhancer_motifs"],
        "enhancer_motifs_without_partner": _share(
            counted["enhancer_motifs_without_partner"], counted["enhancer_motifs"]
        ),
        "promoters": len(promoters),
        "promoters_mostly_from_beyond_reach": int(distal.sum()),
        "of_these_seen_whole_in_windows_end_to_end": int((distal & promoters["sees_elements"]).sum()),
        "activation_from_beyond_reach": _share(effect[links["beyond_reach"]].sum(), effect.sum()),
        "activation_from_upstream": _share(effect[links["distance"] < 0].sum(), effect.sum()),
        "candidate_pairs": len(links),
        "true_links": _share(links["link"].sum(), len(links)),
        "mean_rate": {cell: round(float(promoters[f"rate_{cell}"].mean()), 3) for cell in cells},
    }


def _share(part: float, whole: float) -> float:
    return round(float(part) / float(whole), 4) if whole else 0.0
