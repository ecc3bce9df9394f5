"""The look and the sizes shared by all figures, and axes in a figure of their own where the caller gave none."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from regact.plot.palette import GRID, TEXT

# Inches. A figure fills the text of a page, or half of it beside another; letters are then 9 points on a screen and
# 7 on paper.
FULL_WIDTH, HALF_WIDTH = 9.6, 4.7
LETTERS = 9


def prepare_axes(ax: Axes | None, *, size: tuple[float, float] = (HALF_WIDTH, 3.3), grid: str = "y") -> Axes:
    """Return `ax`, or the axes of a new figure of `size` inches, with the common look.

    Lines of the grid belong to the axis `grid` that holds the quantity: x, y or both.
    """
    if ax is None:
        ax = Figure(figsize=size, layout="constrained").subplots()
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(TEXT)
    ax.tick_params(colors=TEXT, labelsize=LETTERS)
    ax.xaxis.label.set(fontsize=LETTERS, color=TEXT)
    ax.yaxis.label.set(fontsize=LETTERS, color=TEXT)
    ax.grid(visible=False)
    ax.grid(axis=grid, color=GRID, linewidth=0.8)  # type: ignore[arg-type]
    ax.set_axisbelow(True)
    return ax


def title_panel(ax: Axes, text: str) -> None:
    """Name a panel, above it at the left."""
    ax.set_title(text, loc="left", fontsize=LETTERS, color=TEXT)
