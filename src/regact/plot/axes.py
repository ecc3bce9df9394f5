"""The look shared by all axes, and axes in a figure of their own where the caller gave none."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from regact.plot.palette import GRID, TEXT


def prepare_axes(ax: Axes | None, *, size: tuple[float, float] = (6.4, 3.4)) -> Axes:
    """Return `ax`, or the axes of a new figure of `size` inches, with the common look."""
    if ax is None:
        ax = Figure(figsize=size, layout="constrained").subplots()
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(TEXT)
    ax.tick_params(colors=TEXT, labelsize=9)
    ax.grid(axis="y", color=GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    return ax
