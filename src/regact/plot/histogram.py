"""Histograms of several groups side by side, such as the windows of each split."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from regact.plot.axes import FULL_WIDTH, prepare_axes
from regact.plot.palette import color


def plot_share_histogram(
    counts: Mapping[str, Int[np.ndarray, "bin"]],
    edges: Float[np.ndarray, "bin+1"],
    *,
    quantity: str,
    counted: str,
    colors: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many have which share (0 to 1) of something; the axis is logarithmic, so that one is seen beside 10,000.

    Args:
        counts: For each group, how many lie in each bin.
        edges: The bins' limits.
        quantity: Label of the share.
        counted: What is counted.
        colors: The groups' colours.
    """
    ax = prepare_axes(ax, size=(FULL_WIDTH, 2.6))
    ax.set_yscale("log")
    # Before the bars: matplotlib could not choose limits where there are none above 0.
    ax.set_ylim(0.7, max([2, *(numbers.max(initial=0) for numbers in counts.values())]) * 1.6)
    widths = np.diff(edges) * 0.86 / max(len(counts), 1)
    for index, (group, numbers) in enumerate(counts.items()):
        left = edges[:-1] + np.diff(edges) * 0.07 + index * widths
        face = (colors or {}).get(group, color(index))
        ax.bar(left, numbers, width=widths, align="edge", color=face, label=f"{group} ({numbers.sum():,})")
    ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.set_xlim(edges[0], edges[-1])
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.set_xlabel(quantity)
    ax.set_ylabel(counted)
    ax.legend(frameon=False, fontsize=9, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return ax
