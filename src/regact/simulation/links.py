"""What each element does to each promoter: the element is taken out of the sequence and the rates are computed anew.

Taken out means replaced by N, so that no new site can arise where the element was. A bound motif goes with any of its
bases, so this is done on the list of bound motifs instead of on the bases: the answer is the same. Elements too far
from each other to share a promoter are taken out together, so the whole table costs a few dozen computations.
"""

from collections import deque
from collections.abc import Iterator

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64

from regact.simulation.regulation import Promoters
from regact.simulation.scan import Hits
from regact.simulation.truth import Truth


def link_table(elements: pd.DataFrame, promoters: pd.DataFrame, hits: Hits, truth: Truth) -> pd.DataFrame:
    """Every pair of an enhancer or decoy and a promoter less than half a window apart, and the element's true effect.

    Columns: chrom, element, kind, promoter, distance (of the element's middle from the start of transcription, negative
    upstream), beyond_reach, effect_<cell type> (change of the expected CAGE counts when the element is taken out),
    relative_effect (the largest loss in any cell type as a share of the rate, negative), link.

    Args:
        elements: All elements of one contig, as `element_table` gives them.
        promoters: All promoters of that contig, as `promoter_table` gives them.
        hits: All bound motifs of that contig.
    """
    cells = truth.config.grammar.cell_types
    candidates = elements[elements["kind"] != "promoter"].reset_index(drop=True)
    before = promoters[[f"rate_{cell}" for cell in cells]].to_numpy()
    start, end = candidates["start"].to_numpy(), candidates["end"].to_numpy()
    half = truth.config.window_bp // 2
    if promoters.empty or candidates.empty:
        nothing = np.zeros(0, np.int64)
        return _table(candidates, promoters, nothing, nothing, np.zeros((0, len(cells))), truth)
    found = []
    for group in _apart(start, end, 2 * half):
        without = _rates_without(hits, start[group], end[group], promoters, truth)
        middle = (start[group] + end[group]) // 2
        # Middles are more than two half windows apart: at most one is within half a window of a promoter.
        after = np.searchsorted(middle, promoters["tss"] - half, side="right")
        nearest = np.minimum(after, len(group) - 1)
        near = np.flatnonzero(np.abs(middle[nearest] - promoters["tss"]) < half)
        found.append((group[nearest[near]], near, without[near] - before[near]))
    element, promoter = (np.concatenate([pair[side] for pair in found]) for side in (0, 1))
    effect = np.concatenate([pair[2] for pair in found])
    order = np.lexsort((promoter, element))
    return _table(candidates, promoters, element[order], promoter[order], effect[order], truth)


def _apart(
    start: Int64[np.ndarray, " element"], end: Int64[np.ndarray, " element"], distance: int
) -> Iterator[Int64[np.ndarray, " member"]]:
    """Groups of elements (sorted by start) of which any two have more than `distance` bases between them."""
    groups: deque[list[int]] = deque()
    for index in range(len(start)):
        # The first group in the queue is the one whose last member lies farthest back.
        if groups and start[index] - end[groups[0][-1]] > distance:
            groups.append([*groups.popleft(), index])
        else:
            groups.append([index])
    yield from (np.array(group) for group in groups)


def _rates_without(
    hits: Hits,
    start: Int64[np.ndarray, " element"],
    end: Int64[np.ndarray, " element"],
    promoters: pd.DataFrame,
    truth: Truth,
) -> Float64[np.ndarray, "promoter cell"]:
    """Expected CAGE counts of the promoters when the bases of the elements (far apart, sorted) are N."""
    regulation = truth.regulation
    half = np.array([motif.width for motif in regulation.motifs])[hits.motif] // 2
    # The last element that starts before the site ends; the site survives where that element ends before it starts.
    last = np.searchsorted(start, hits.centre + half, side="right") - 1
    kept = (last < 0) | (hits.centre - half >= end[np.maximum(last, 0)])
    activity = regulation.activity(hits.where(kept))
    strand = np.where(promoters["strand"] == "+", 1, -1)
    row = _rows_of(activity.promoters, promoters["tss"].to_numpy(), strand)
    # A promoter that went with the element has no rate: row -1 is the row of zeros at the end.
    return truth.config.assays.cage.depth * np.pad(activity.rate, ((0, 1), (0, 0)))[row]


def _rows_of(
    promoters: Promoters, tss: Int64[np.ndarray, " wanted"], strand: Int64[np.ndarray, " wanted"]
) -> Int64[np.ndarray, " wanted"]:
    """Rows of the promoters at `tss` on `strand`, -1 where there is none."""
    key = promoters.tss * 2 + (promoters.strand > 0)
    wanted = tss * 2 + (strand > 0)
    order = np.argsort(key)
    place = np.minimum(np.searchsorted(key[order], wanted), len(key) - 1)
    return np.where(key[order][place] == wanted, order[place], -1)


def _table(
    elements: pd.DataFrame,
    promoters: pd.DataFrame,
    element: Int64[np.ndarray, " pair"],
    promoter: Int64[np.ndarray, " pair"],
    effect: Float64[np.ndarray, "pair cell"],
    truth: Truth,
) -> pd.DataFrame:
    cells = truth.config.grammar.cell_types
    of_element, of_promoter = elements.iloc[element], promoters.iloc[promoter]
    direction = np.where(of_promoter["strand"] == "+", 1, -1)
    middle = (of_element["start"].to_numpy() + of_element["end"].to_numpy()) // 2
    distance = (middle - of_promoter["tss"].to_numpy()) * direction
    before = of_promoter[[f"rate_{cell}" for cell in cells]].to_numpy()
    relative = (effect / before).min(axis=1, initial=0.0)
    return pd.DataFrame({
        "chrom": of_element["chrom"].to_numpy(),
        "element": of_element["element"].to_numpy(),
        "kind": of_element["kind"].to_numpy(),
        "promoter": of_promoter["promoter"].to_numpy(),
        "distance": distance,
        "beyond_reach": np.abs(distance) > truth.config.reach,
        **{f"effect_{cell}": values for cell, values in zip(cells, effect.T, strict=True)},
        "relative_effect": relative,
        "link": relative <= -truth.config.layout.link_effect,
    })  # fmt: skip
