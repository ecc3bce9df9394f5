"""Figures of a sequencing sample: what became of its reads, and what was made of them."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullFormatter, PercentFormatter

from regact.plot.axes import FULL_WIDTH, HALF_WIDTH, prepare_axes
from regact.plot.palette import FLOOR, TEXT, color, marker

_SMALL = (HALF_WIDTH, 2.9)


def plot_read_fates(fates: Mapping[str, int], *, counted: Sequence[str] = (), ax: Axes | None = None) -> Axes:
    """Draw one bar a fate, as a share of all reads, with its number; those named `counted` stand out."""
    ax = prepare_axes(ax, size=(FULL_WIDTH, 0.7 + 0.3 * len(fates)), grid="x")
    total = max(sum(fates.values()), 1)
    names = list(fates)[::-1]
    shares = [fates[name] / total for name in names]
    ax.barh(names, shares, height=0.7, color=[color(0) if name in counted else FLOOR for name in names])
    for row, (name, share) in enumerate(zip(names, shares, strict=True)):
        ax.annotate(
            f"{fates[name]:,} ({share:.1%})", (share, row), (4, 0), textcoords="offset points", va="center", fontsize=8
        )
    ax.set_xlim(0, max(shares, default=1) * 1.25 or 1)
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.set_xlabel("share of all reads")
    return ax


def plot_place_counts(reads: Int[np.ndarray, "place"], *, left_out_above: int, ax: Axes | None = None) -> Axes:
    """Draw how many reads have 1, 2, .. places in the genome; those with more than `left_out_above` are grey.

    The axis is logarithmic, so that one read is seen beside a million.
    """
    ax = prepare_axes(ax, size=_SMALL)
    places = np.arange(1, len(reads) + 1)
    ax.bar(places, reads, width=0.8, color=[color(0) if place <= left_out_above else FLOOR for place in places])
    ax.set_yscale("log")
    ax.set_ylim(0.7, max(2, int(reads.max(initial=0))) * 2)
    ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.set_xlabel("places in the genome")
    ax.set_ylabel("reads")
    return ax


def plot_convergence(change: Sequence[float], *, tolerance: float, ax: Axes | None = None) -> Axes:
    """Draw how much the shares of a read with several places changed in each round, and where the rounds stop."""
    ax = prepare_axes(ax, size=_SMALL)
    rounds = np.arange(1, len(change) + 1)
    ax.plot(rounds, change, marker="o", markersize=4, linewidth=1.6, color=color(0))
    if tolerance > 0:
        ax.axhline(tolerance, color=TEXT, linewidth=1, linestyle="--")
        where = ("axes fraction", "data")
        ax.annotate("EM stops below", (0.02, tolerance), (0, 3), where, textcoords="offset points", fontsize=8)
    if any(value > 0 for value in change):
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter(NullFormatter())
        ax.set_ylim(top=2 * max(change))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.set_xlabel("round")
    ax.set_ylabel("mean change of a read's shares")
    return ax


def plot_fragment_lengths(
    length_bp: Int[np.ndarray, "length"],
    value: Float[np.ndarray, "length"],
    *,
    quantity: str,
    chosen_bp: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a curve over fragment length (pairs, or the strands' correlation), and the length taken from it."""
    ax = prepare_axes(ax, size=_SMALL)
    ax.plot(length_bp, value, linewidth=1.6, color=color(0))
    if chosen_bp is not None:
        ax.axvline(chosen_bp, color=color(1), linewidth=1.2, linestyle="--")
        ax.annotate(
            f"{chosen_bp} bp",
            (chosen_bp, 1),
            (4, -9),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            fontsize=8,
            color=color(1),
        )
    ax.set_ylim(top=1.15 * float(value.max(initial=0)) or None)
    ax.yaxis.set_major_formatter("{x:,.4g}")
    ax.set_xlabel("fragment length (bp)")
    ax.set_ylabel(quantity)
    return ax


def plot_gc_bias(
    gc: Float[np.ndarray, "bin"],
    coverage: Mapping[str, Float[np.ndarray, "bin"]],
    *,
    amount: Float[np.ndarray, "bin"],
    counted: str,
    fitted: Float[np.ndarray, "bin"] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw coverage over its mean by GC, each of `coverage` in its colour, and the curve fitted to the first.

    `amount` says how much of the genome (windows, bases: `counted`) has that GC. It is an area at the foot, so that one
    sees which of the points matter.
    """
    ax = prepare_axes(ax, size=_SMALL)
    # Rare GC shares have few reads; what chance makes of them must not press the others flat.
    common = amount >= 0.01 * amount.max(initial=0)
    top = 1.25 * float(max([1.2, *(values[common].max(initial=0) for values in coverage.values())]))
    height = 0.35 * top * amount / max(float(amount.max(initial=0)), 1e-12)
    ax.fill_between(gc, height, color=FLOOR, alpha=0.3, linewidth=0, label=counted)
    ax.axhline(1, color=TEXT, linewidth=1, linestyle="--")
    for index, (name, values) in enumerate(coverage.items()):
        ax.plot(gc, values, marker=marker(index), markersize=3.5, linewidth=0, color=color(1 - index), label=name)
    if fitted is not None:
        ax.plot(gc, fitted, linewidth=1.6, color=TEXT, label="fitted")
    ax.set_ylim(0, top)
    margin = 0.03 * float(np.ptp(gc[common])) + 0.005 if common.any() else 0.005
    ax.set_xlim(gc[common].min(initial=1) - margin, gc[common].max(initial=0) + margin)
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.set_xlabel("G and C")
    ax.set_ylabel("coverage / mean")
    ax.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=4)
    return ax


def plot_coverage_histogram(
    edges: Float[np.ndarray, "bin+1"], bases: Int[np.ndarray, "bin"], *, ax: Axes | None = None
) -> Axes:
    """Draw how many bases have which coverage above 0; both axes are logarithmic."""
    ax = prepare_axes(ax, size=_SMALL)
    ax.set_yscale("log")
    ax.set_xscale("log", base=10)
    ax.set_ylim(0.7, max(2, int(bases.max(initial=0))) * 2)
    ax.bar(edges[:-1], bases, width=np.diff(edges), align="edge", color=color(0), edgecolor="white", linewidth=0.5)
    ax.xaxis.set_major_formatter("{x:,.3g}")
    ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.set_xlabel("coverage of a base")
    ax.set_ylabel("bases")
    return ax


def plot_saturation(
    reads: Float[np.ndarray, "depth"],
    distinct: Float[np.ndarray, "depth"],
    *,
    sequenced: tuple[float, float],
    ax: Axes | None = None,
) -> Axes:
    """Draw the distinct reads that are expected at each depth, and the sample as (its reads, its distinct reads)."""
    ax = prepare_axes(ax, size=_SMALL)
    ax.plot(reads, reads, linewidth=1, linestyle="--", color=TEXT, label="every read distinct")
    ax.plot(reads, distinct, linewidth=1.6, color=color(0), label="expected")
    ax.plot(*sequenced, marker="o", markersize=6, linewidth=0, color=color(1), label="this sample")
    ax.set_xlim(0, float(reads[-1]))
    ax.set_ylim(0, max(float(distinct.max()), sequenced[1]) * 1.3)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(4))
        axis.set_major_formatter("{x:,.0f}")
    ax.set_xlabel("reads")
    ax.set_ylabel("distinct reads")
    ax.legend(frameon=False, fontsize=8, loc="lower right")
    return ax
