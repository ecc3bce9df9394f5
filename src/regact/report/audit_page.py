"""The page of a dataset's audit: findings first, then what they rest on."""

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from regact.dataset.audit import Audit
from regact.dataset.findings import KINDS
from regact.dataset.leakage import K, split_regions
from regact.dataset.value_counts import ZERO_BIN, bin_edges
from regact.engine import whole_file
from regact.genome import Interval
from regact.plot import SPLIT_COLORS, plot_share_histogram, plot_split_map, plot_value_distribution
from regact.plot.value_distribution import MOST_NAMES
from regact.report.figure import FigureBlock, figure_block
from regact.report.render import render_page
from regact.report.tables import Cell, Table

MOST_ROWS, MOST_TRACKS, MOST_CHROMOSOMES, MOST_SIMILAR = 20, 300, 40, 15
_SHARE_EDGES = np.linspace(0, 1, 21)


@dataclass(frozen=True)
class FindingGroup:
    """The findings of one kind, as the page shows them."""

    kind: str
    severity: str
    count: int
    advice: str
    table: Table
    left_out: int


def write_audit_page(audit: Audit, out: str | Path) -> Path:
    """Write the audit as one HTML page that needs no other file; return `out`."""
    store = audit.store
    judged = audit.windows[audit.windows["split"] != "train"]
    page = render_page(
        "audit.html",
        name=store.path.name,
        facts=f"{store.genome_name}, {store.n_windows:,} windows of {store.window_bp:,} bp, {store.n_bins:,} bins of "
        f"{store.bin_bp} bp, {store.n_tracks:,} tracks; fingerprint {store.fingerprint[:16]}.",
        verdict=_verdict(audit),
        findings=_finding_groups(audit),
        splits=_splits_table(audit),
        shared=_shared_table(audit),
        map=_split_map(audit),
        masks=_mask_figure(audit),
        similarity=_similarity_figure(judged) if len(judged) else None,
        similar=_similar_table(judged),
        values=_values_figure(audit),
        tracks=_tracks_table(audit),
        tracks_left_out=max(0, store.n_tracks - MOST_TRACKS),
    )
    with whole_file(out) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return Path(out)


def _verdict(audit: Audit) -> str:
    errors = sum(finding.must_be_mended for finding in audit.findings)
    warnings = len(audit.findings) - errors
    if errors:
        return f"{errors:,} things must be mended before training on this dataset; {warnings:,} more to look at."
    return (
        f"Nothing that forbids training on this dataset; {warnings:,} things to look at."
        if warnings
        else "All is well."
    )


def _finding_groups(audit: Audit) -> list[FindingGroup]:
    groups = []
    for kind, members in groupby(audit.findings, key=lambda finding: finding.kind):
        found = list(members)
        rows = [_texts(one.where, one.split or "all", one.found) for one in found[:MOST_ROWS]]
        must, advice = KINDS[kind]
        table = Table(("where", "split", "found"), rows)
        groups.append(
            FindingGroup(kind, "error" if must else "warning", len(found), advice, table, len(found) - len(rows))
        )
    return groups


def _splits_table(audit: Audit) -> Table:
    rows = [
        [
            Cell(row["split"], number=False),
            Cell(f"{row['windows']:,}"),
            Cell(f"{row['bp']:,}"),
            Cell(f"{row['bins']:,}"),
            Cell(f"{row['masked']:.2%}"),
            Cell(f"{row['silent_windows']:,}"),
            Cell(f"{row['judged_twice_bp']:,}"),
        ]
        for row in audit.splits.to_dict("records")
    ]
    columns = ("split", "windows", "bp", "bins", "masked", "windows without signal", "bp in several targets")
    return Table(columns, rows)


def _shared_table(audit: Audit) -> Table:
    rows = [
        [
            Cell(f"{row['split']} and {row['other']}", number=False),
            Cell(f"{row['shared_bp']:,}"),
            Cell(f"{row['shared_shifted_bp']:,}"),
        ]
        for row in audit.shared.to_dict("records")
    ]
    return Table(("splits", "bp shared", "bp shared when shifted"), rows)


def _split_map(audit: Audit) -> FigureBlock:
    store = audit.store
    used = set(store.windows["chrom"])
    lengths = {chrom: length for chrom, length in store.header.genome.lengths.items() if chrom in used}
    longest = sorted(lengths, key=lambda chrom: -lengths[chrom])[:MOST_CHROMOSOMES]
    shown = {chrom: length for chrom, length in lengths.items() if chrom in longest}
    regions = {
        split: [(region.chrom, region.start, region.end) for region in split_regions(store, split)]
        for split in audit.values
    }
    left_out = len(lengths) - len(shown)
    caption = "Where the windows lie; grey: no window." + (
        f" {left_out} shorter contigs not shown." if left_out else ""
    )
    return figure_block(plot_split_map(regions, shown), alt="Splits on the chromosomes", caption=caption)


def _mask_figure(audit: Audit) -> FigureBlock:
    ax = _histogram(audit.windows, "masked", "masked bins of a window")
    return figure_block(ax, alt="Masked bins per window", caption="How much of the windows is masked.")


def _similarity_figure(judged: pd.DataFrame) -> FigureBlock:
    ax = _histogram(judged, "shared", f"{K}-mers of a window that occur in training")
    sampled = int(judged["kmers"].median())
    caption = (
        f"Distinct canonical {K}-mers of each validation and test window that occur in a training window; about "
        f"{sampled:,} looked at in each. Unrelated sequence shares none; copies of 95 % identity share about 30 %."
    )
    return figure_block(ax, alt="Sequence similarity between splits", caption=caption)


def _histogram(windows: pd.DataFrame, column: str, quantity: str) -> Axes:
    counts = {
        str(split): np.histogram(rows[column].dropna(), _SHARE_EDGES)[0]
        for split, rows in windows.groupby("split", sort=False)
    }
    ordered = {split: counts[split] for split in SPLIT_COLORS if split in counts}
    return plot_share_histogram(ordered, _SHARE_EDGES, quantity=quantity, counted="windows", colors=SPLIT_COLORS)


def _similar_table(judged: pd.DataFrame) -> Table:
    columns = ("window", "split", "in training", "in one piece of it", "that piece")
    if not len(judged):
        return Table(columns, [])
    rows = []
    for row in judged.nlargest(MOST_SIMILAR, "shared").to_dict("records"):
        place = Interval(row["chrom"], row["start"], row["end"])
        rows.append(
            [
                Cell(str(place), number=False),
                Cell(row["split"], number=False),
                Cell(f"{row['shared']:.1%}"),
                Cell(f"{row['nearest_shared']:.1%}"),
                Cell(row["nearest"], number=False),
            ]
        )
    return Table(columns, rows)


def _values_figure(audit: Audit) -> FigureBlock:
    values, sheet = audit.values["train"], audit.store.sheet
    positive = values.counts[:, ZERO_BIN + 1 :]
    edges = bin_edges()[ZERO_BIN + 1 :]
    used = np.flatnonzero(positive.any(axis=0) & np.isfinite(edges[1:]))
    first, last = (used[0], used[-1] + 1) if len(used) else (0, 1)
    # Too many to be named: by mean within each assay, so that the eye can follow them.
    rank = values.mean if len(sheet) > MOST_NAMES else np.zeros(len(sheet))
    order = np.lexsort((rank, np.asarray(sheet.assays)))
    ax = plot_value_distribution(
        positive[order, first:last] / max(values.n_bins, 1),
        edges[first : last + 1],
        names=[sheet.identifiers[track] for track in order],
        groups=[sheet.assays[track] for track in order],
        zero=1 - values.nonzero[order] / max(values.n_bins, 1),
        mean=values.mean[order],
        maximum=values.maximum[order],
    )
    return figure_block(ax, alt="Values of every track", caption="Values above 0 in the training split, as stored.")


def _tracks_table(audit: Audit) -> Table:
    rows = [
        [
            Cell(row["identifier"], number=False),
            Cell(row["assay"], number=False),
            Cell(f"{row['mean']:.3g}"),
            Cell(f"{row['nonzero']:.1%}"),
            Cell(f"{row['q50_nonzero']:.3g}"),
            Cell(f"{row['q999_nonzero']:.4g}"),
            Cell(f"{row['max']:.4g}"),
            Cell(row["max_at"], number=False),
            Cell(f"{row['clipped']:.2%}"),
        ]
        for row in audit.tracks[audit.tracks["split"] == "train"].head(MOST_TRACKS).to_dict("records")
    ]
    columns = ("track", "assay", "mean", "not 0", "median not 0", "99.9 % not 0", "max", "at", "at clip")
    return Table(columns, rows)


def _texts(*values: str) -> list[Cell]:
    return [Cell(value, number=False) for value in values]
