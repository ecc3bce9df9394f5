"""What a model costs against what it reaches."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from regact.plot.axes import prepare_axes
from regact.plot.palette import color, marker
from regact.plot.scores import Score


@dataclass(frozen=True)
class CostPoint:
    """A model: what it costs, above 0, and what it reaches for that."""

    cost: float
    score: Score


def plot_cost(points: Sequence[CostPoint], *, cost: str, quantity: str, ax: Axes | None = None) -> Axes:
    """Draw a marker for each model, cost to the right on a logarithmic axis, its interval as a vertical line.

    `cost` and `quantity` name the axes, with their units.
    """
    ax = prepare_axes(ax, grid="both")
    ax.set_xscale("log")
    for index, point in enumerate(points):
        score = point.score
        if score.has_interval:
            ax.vlines(point.cost, score.low, score.high, color=color(index), linewidth=1.4)
        ax.plot(point.cost, score.value, marker=marker(index), color=color(index), markersize=7, linestyle="",
                label=score.label)  # fmt: skip
    ax.margins(0.12)
    # Models of one comparison may differ by less than a power of ten, where only minor ticks would be left.
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel(cost)
    ax.set_ylabel(quantity)
    return ax
