"""One number per model as bars, with the limits that it could reach as lines."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from regact.plot.axes import prepare_axes
from regact.plot.palette import TEXT, color


def plot_limits(
    values: Mapping[str, float], limits: Mapping[str, float], *, quantity: str, ax: Axes | None = None
) -> Axes:
    """Draw a bar for each of `values`, its number beside it, and a vertical line for each of `limits`, named above.

    `quantity` names the x axis. NaN is left out.
    """
    ax = prepare_axes(ax, size=(7.2, 0.8 + 0.42 * max(len(values), 2)))
    names = list(values)
    heights = np.array([values[name] for name in names], dtype=float)
    ax.barh(range(len(names)), np.nan_to_num(heights), height=0.62, color=[color(i) for i in range(len(names))])
    for place, value in enumerate(heights):
        if np.isfinite(value):
            ax.annotate(f"{value:.2f}", (max(value, 0), place), (4, 0), textcoords="offset points", va="center")
    for name, value in limits.items():
        ax.axvline(value, color=TEXT, linewidth=1.2, linestyle="--")
        ax.annotate(name, (value, 1), (0, 3), xycoords=("data", "axes fraction"), textcoords="offset points",
                    ha="center", va="bottom", fontsize=9)  # fmt: skip
    ax.axvline(0, color=TEXT, linewidth=0.8)
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.set_xlabel(quantity)
    return ax
