"""Predicted against measured: how many bins have which pair of values."""

import numpy as np
from jaxtyping import Float, Int64
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.ticker import FuncFormatter

from regact.plot.axes import prepare_axes
from regact.plot.palette import FEW_TO_MANY, TEXT

_COLORS = LinearSegmentedColormap.from_list("few to many", FEW_TO_MANY)
_TICKS = (0, 1, 10, 100, 1_000, 10_000, 100_000)


def plot_density(
    counts: Int64[np.ndarray, "measured predicted"],
    edges: Float[np.ndarray, "edge"],
    *,
    most: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the pairs as a map, dark where there are many, with the line on which both are equal.

    Args:
        counts: How many bins have each pair.
        edges: Limits of both axes' cells, in log(1 + count); ticks stand at the counts themselves.
        most: What is drawn darkest; the largest of `counts` without it. Panels to be compared share one.
        ax: Where to draw.
    """
    ax = prepare_axes(ax, size=(3.4, 3.4), grid="both")
    shown = np.ma.masked_less(counts.T, 1)  # rows of a map go up, along the predicted value
    norm = LogNorm(1, max(most or counts.max(initial=0), 2))
    ax.pcolormesh(edges, edges, shown, cmap=_COLORS, norm=norm, rasterized=True)
    ax.plot(edges[[0, -1]], edges[[0, -1]], color=TEXT, linewidth=1, linestyle="--")
    ax.set(xlim=edges[[0, -1]], ylim=edges[[0, -1]], xlabel="measured count per bin", ylabel="predicted count per bin")
    ticks = [np.log1p(tick) for tick in _TICKS if np.log1p(tick) <= edges[-1]]
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_ticks(ticks)
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{round(np.expm1(value)):,}"))
    ax.set_box_aspect(1)
    return ax
