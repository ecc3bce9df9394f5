"""A network as boxes from bottom to top, and the connections of dilated convolutions (figures 1 to 5 of the paper)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import FancyBboxPatch

from regact.plot.axes import prepare_axes
from regact.plot.palette import COLORS, TEXT

_PART_COLORS = {"input": "#B8BFC6", "tower": COLORS[0], "context": COLORS[1], "head": COLORS[2], "output": "#B8BFC6"}


@dataclass(frozen=True)
class LayerBox:
    """One layer: its part (input, tower, context, head or output), what it does, the shape that leaves it, its cost."""

    part: str
    label: str
    shape: str
    cost: str = ""


def plot_architecture(boxes: Sequence[LayerBox], *, ax: Axes | None = None) -> Axes:
    """Draw one box per layer, the input lowest, with shape and cost beside it and a bracket for each part."""
    ax = prepare_axes(ax, size=(7.2, 0.36 * len(boxes) + 0.8))
    ax.grid(visible=False)
    arrow = {"arrowstyle": "-|>", "color": TEXT, "lw": 0.8}
    for y, box in enumerate(boxes):
        color = _PART_COLORS[box.part]
        outline = "round,pad=0,rounding_size=0.12"
        ax.add_patch(FancyBboxPatch((0, y - 0.34), 4.1, 0.68, boxstyle=outline, fc=color, ec="none", alpha=0.3))
        ax.text(2.05, y, box.label, ha="center", va="center", fontsize=8.5, color=TEXT)
        ax.text(4.3, y, box.shape, ha="left", va="center", fontsize=8.5, color=TEXT)
        ax.text(9.4, y, box.cost, ha="right", va="center", fontsize=8, color=TEXT, alpha=0.75)
        if y:
            ax.annotate("", (2.05, y - 0.33), (2.05, y - 0.67), arrowprops=arrow)
    for part in ("tower", "context", "head"):
        rows = [y for y, box in enumerate(boxes) if box.part == part]
        if rows:
            ax.plot([-0.2, -0.2], [rows[0] - 0.34, rows[-1] + 0.34], color=_PART_COLORS[part], linewidth=2)
            middle = (rows[0] + rows[-1]) / 2
            ax.text(-0.35, middle, part, rotation=90, ha="right", va="center", fontsize=9, color=TEXT)
    ax.set(xlim=(-0.8, 9.5), ylim=(-0.6, len(boxes) - 0.4))
    ax.set_axis_off()
    return ax


def plot_dilation(dilations: Sequence[int], *, bin_bp: int, ax: Axes | None = None) -> Axes:
    """Draw which bins reach one bin through layers of width 3 and these dilations, the first layer lowest."""
    ax = prepare_axes(ax, size=(7.2, 2.8))
    ax.grid(visible=False)
    top = len(dilations)
    seen = np.zeros(1)
    for level in range(top, 0, -1):
        below = seen[:, None] + dilations[level - 1] * np.array([-1, 0, 1])
        lines = [
            ((x * bin_bp, level), (end * bin_bp, level - 1))
            for x, ends in zip(seen, below, strict=True)
            for end in ends
        ]
        ax.add_collection(LineCollection(lines, colors=COLORS[1], linewidths=0.4, alpha=0.6))
        seen = np.unique(below)
    ax.plot([0], [top], marker="o", markersize=5, color=COLORS[1])
    reach = sum(dilations) * bin_bp
    ax.set(xlim=(-1.05 * reach, 1.05 * reach), ylim=(-0.1, top + 0.3))
    ax.set_yticks(range(top + 1), ["bins of the tower", *(f"dilation {d}" for d in dilations)])
    ax.xaxis.set_major_formatter(lambda bp, _: f"{bp / 1000:+g}" if bp else "0")
    ax.set_xlabel("signed distance of the bins that one bin sees (kb)")
    return ax
