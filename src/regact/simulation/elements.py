"""The true answer as tables of elements and promoters.

All values are read from the sequence; what was planted only gives elements their intervals and names. Elements that
chance made are listed too.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64

from regact.simulation.layout import PlantedElement
from regact.simulation.regulation import Activity, EnhancerSites, Promoters
from regact.simulation.truth import Truth

# Below these, what chance makes of the background is left out of the tables (never out of the rates).
LEAST_INTRINSIC = 0.05
LEAST_ACTIVITY = 0.05
# A site counts among the elements that drive a promoter from this share of its activation on.
LEAST_DRIVING_SHARE = 0.02

ElementRow = tuple[int, int, str, int, bool]  # start, end, kind, strand, planted


def element_table(chrom: str, planted: Sequence[PlantedElement], truth: Truth, activity: Activity) -> pd.DataFrame:
    """Enhancers, decoys and promoters in order of position, with enhancer activity in each cell type.

    An enhancer's interval is widened to the motifs that chance put beside its partner site.

    Columns: chrom, start, end, element (name), kind, strand, planted (False where chance made it), activity_<cell
    type>.
    """
    rows: list[ElementRow] = [(*_interval(e, truth, activity.sites), e.kind, e.strand, True) for e in planted]
    planted_table = pd.DataFrame(rows, columns=["start", "end", "kind", "strand", "planted"])
    chance = [
        *_chance_enhancers(planted_table, truth, activity.sites),
        *_chance_promoters(planted_table, truth, activity.promoters),
    ]
    table = pd.DataFrame([*rows, *chance], columns=planted_table.columns)
    table = table.sort_values(["start", "end"], kind="stable", ignore_index=True)
    table.insert(0, "chrom", chrom)
    number = table.groupby("kind").cumcount() + 1
    table.insert(3, "element", chrom + "_" + table["kind"] + "_" + number.astype(str))
    table["strand"] = table["strand"].map({1: "+", -1: "-", 0: "."})
    inside = rows_holding(activity.sites.centre, table, table["kind"] != "promoter")
    for cell, of_cell in zip(truth.config.grammar.cell_types, activity.sites.activity.T, strict=True):
        found = inside >= 0
        total = np.bincount(inside[found], weights=of_cell[found], minlength=len(table))
        table[f"activity_{cell}"] = np.where(table["kind"] == "promoter", 0.0, total)
    return table


def promoter_table(chrom: str, elements: pd.DataFrame, truth: Truth, activity: Activity) -> pd.DataFrame:
    """Promoters in order of their core motifs, with rates and where their activation comes from.

    Columns: promoter (unique name), element (the one it lies in), chrom, tss (0-based), strand, planted, intrinsic;
    for each cell type rate_ (expected CAGE counts), rate_within_reach_ (the same with the enhancers beyond R taken
    away) and share_beyond_ (of the activation by enhancers, NaN where there is none); share_beyond_reach (over all cell
    types together); elements_start, elements_end (the stretch that holds the start of transcription and everything that
    drives it); sees_elements (whether one of the windows laid end to end from the contig's start holds that stretch).
    """
    listed = activity.promoters.where(activity.promoters.intrinsic >= LEAST_INTRINSIC)
    regulation, reach = truth.regulation, truth.config.reach
    every = regulation.activation(listed, activity.sites)
    near = regulation.activation(listed, activity.sites, within_bp=reach)
    core = listed.tss - listed.strand * truth.config.grammar.tss_offset_bp
    element = rows_holding(core, elements, elements["kind"] == "promoter")
    table = pd.DataFrame({
        "promoter": [f"{chrom}_tss_{number}" for number in range(1, len(element) + 1)],
        "element": elements["element"].to_numpy()[element],
        "chrom": chrom,
        "tss": listed.tss,
        "strand": np.where(listed.strand > 0, "+", "-"),
        "planted": elements["planted"].to_numpy()[element],
        "intrinsic": listed.intrinsic,
    })  # fmt: skip
    depth = truth.config.assays.cage.depth
    for what, values in (
        ("rate", depth * regulation.rate(listed, every)),
        ("rate_within_reach", depth * regulation.rate(listed, near)),
        ("share_beyond", _share_beyond(every, near)),
    ):
        for cell, of_cell in zip(truth.config.grammar.cell_types, values.T, strict=True):
            table[f"{what}_{cell}"] = of_cell
    table["share_beyond_reach"] = _share_beyond(every.sum(axis=1), near.sum(axis=1))
    table["elements_start"], table["elements_end"] = _driving_stretch(listed, activity.sites, every, truth)
    window_bp = truth.config.window_bp
    table["sees_elements"] = table["elements_start"] // window_bp == (table["elements_end"] - 1) // window_bp
    return table


def promoters_in_windows(promoters: pd.DataFrame, windows: pd.DataFrame, *, bin_bp: int) -> pd.DataFrame:
    """Every (promoter, window) pair in which the window holds the start of transcription.

    Args:
        promoters: As `promoters.tsv` holds them.
        windows: With columns chrom, start, end: a store's targets, or any others.
        bin_bp: Bases per bin.

    Returns:
        Columns promoter_row and window_row (positions in the two tables), bin (of the start of transcription, counted
        from the window's start), sees_elements (whether everything that drives the promoter lies in the window).
    """
    parts = []
    for row, (chrom, start, end) in enumerate(zip(windows["chrom"], windows["start"], windows["end"], strict=True)):
        inside = (promoters["chrom"] == chrom) & (promoters["tss"] >= start) & (promoters["tss"] < end)
        found = promoters[inside]
        parts.append(pd.DataFrame({
            "promoter_row": np.flatnonzero(inside),
            "window_row": row,
            "bin": (found["tss"].to_numpy() - start) // bin_bp,
            "sees_elements": ((found["elements_start"] >= start) & (found["elements_end"] <= end)).to_numpy(),
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def rows_holding(
    position: Int64[np.ndarray, " place"], elements: pd.DataFrame, among: pd.Series
) -> Int64[np.ndarray, " place"]:
    """Row of the element (of those `among`) that holds each position, -1 where none does."""
    rows = np.flatnonzero(among)
    if not len(rows):
        return np.full(len(position), -1)
    start, end = elements["start"].to_numpy()[rows], elements["end"].to_numpy()[rows]
    order = np.argsort(start, kind="stable")
    last = np.searchsorted(start[order], position, side="right") - 1
    found = order[np.maximum(last, 0)]
    return np.where((last >= 0) & (position < end[found]), rows[found], -1)


def _interval(element: PlantedElement, truth: Truth, sites: EnhancerSites) -> tuple[int, int]:
    """Start and end of a planted element, an enhancer's with all active sites around its partner."""
    within = truth.config.grammar.partner_within_bp
    half = max(motif.width for motif in truth.regulation.enhancer_motifs) // 2
    first, last = np.searchsorted(sites.centre, (element.start - within, element.end + within))
    if element.kind != "enhancer" or first == last:
        return element.start, element.end
    return min(element.start, int(sites.centre[first]) - half), max(element.end, int(sites.centre[last - 1]) + half + 1)


def _chance_enhancers(planted: pd.DataFrame, truth: Truth, sites: EnhancerSites) -> Iterator[ElementRow]:
    """Active sites outside planted clusters, those near each other as one element."""
    free = rows_holding(sites.centre, planted, planted["kind"] != "promoter") < 0
    centre = sites.centre[free & (sites.activity.max(axis=1) >= LEAST_ACTIVITY)]
    half = max(motif.width for motif in truth.regulation.enhancer_motifs) // 2
    apart = np.flatnonzero(np.diff(centre) > truth.config.grammar.partner_within_bp) + 1
    for group in np.split(centre, apart) if len(centre) else []:
        yield int(group[0]) - half, int(group[-1]) + half + 1, "enhancer", 0, False


def _chance_promoters(planted: pd.DataFrame, truth: Truth, promoters: Promoters) -> Iterator[ElementRow]:
    listed = promoters.where(promoters.intrinsic >= LEAST_INTRINSIC)
    core = listed.tss - listed.strand * truth.config.grammar.tss_offset_bp
    half = truth.regulation.core.width // 2
    free = rows_holding(core, planted, planted["kind"] == "promoter") < 0
    for centre, strand in zip(core[free], listed.strand[free], strict=True):
        yield int(centre) - half, int(centre) + half + 1, "promoter", int(strand), False


def _share_beyond(every: Float64[np.ndarray, "..."], near: Float64[np.ndarray, "..."]) -> Float64[np.ndarray, "..."]:
    return np.divide(every - near, every, out=np.full_like(every, np.nan), where=every > 0)


def _driving_stretch(
    promoters: Promoters,
    sites: EnhancerSites,
    activation: Float64[np.ndarray, "promoter cell"],
    truth: Truth,
) -> tuple[Int64[np.ndarray, " promoter"], Int64[np.ndarray, " promoter"]]:
    """Start and end of what must be seen to predict each promoter: its own sites and the sites that drive it."""
    of, site, contact = truth.regulation.contributions(promoters, sites)
    share = contact * sites.activity[site].sum(axis=1) / activation.sum(axis=1)[of]
    driving = share >= LEAST_DRIVING_SHARE
    # A site's partner and a promoter's proximal motifs belong to it.
    grammar = truth.config.grammar
    own = grammar.proximal_within_bp + abs(grammar.tss_offset_bp)
    start, end = promoters.tss - own, promoters.tss + own + 1
    np.minimum.at(start, of[driving], sites.centre[site[driving]] - grammar.partner_within_bp)
    np.maximum.at(end, of[driving], sites.centre[site[driving]] + grammar.partner_within_bp + 1)
    return start, end
