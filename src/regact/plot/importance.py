"""How much each setting of a search mattered, as bars."""

from collections.abc import Mapping

from matplotlib.axes import Axes

from regact.plot.axes import prepare_axes
from regact.plot.palette import GRID, color


def plot_importance(values: Mapping[str, float], *, quantity: str, ax: Axes | None = None) -> Axes:
    """Draw a bar for each of `values`, the largest on top, its number beside it; `quantity` names the x axis."""
    ranked = sorted(values.items(), key=lambda item: item[1])
    ax = prepare_axes(ax, size=(6.4, 0.9 + 0.34 * max(len(ranked), 2)))
    ax.barh(range(len(ranked)), [value for _, value in ranked], height=0.62, color=color(0))
    for place, (_, value) in enumerate(ranked):
        ax.annotate(f"{value:.2f}", (value, place), (4, 0), textcoords="offset points", va="center", fontsize=9)
    ax.set_yticks(range(len(ranked)), [name for name, _ in ranked])
    ax.grid(visible=False, axis="y")
    ax.grid(axis="x", color=GRID, linewidth=0.8)
    ax.set_xlim(0, 1.12 * max([value for _, value in ranked], default=1.0) or 1.0)
    ax.set_xlabel(quantity)
    return ax
