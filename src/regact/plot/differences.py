"""Every model against every other: a table of differences, those that are called one in colour."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes

from regact.plot.axes import FULL_WIDTH, prepare_axes
from regact.plot.palette import COLORS, TEXT

_BETTER, _WORSE = COLORS[0], COLORS[1]


def plot_differences(
    names: Sequence[str],
    differences: Float[np.ndarray, "model model"],
    differs: Bool[np.ndarray, "model model"],
    *,
    quantity: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw `differences[i, j]`, the row's model i less the column's j, blue where i is better, orange where worse.

    Where `differs` is False the number stands grey and the cell is white. NaN is left empty.
    """
    ax = prepare_axes(ax, size=(FULL_WIDTH, 1.1 + 0.36 * len(names)))
    for row, column in np.argwhere(np.isfinite(differences)):
        value, called = differences[row, column], differs[row, column]
        if called:
            face = _BETTER if value > 0 else _WORSE
            ax.fill_between([column - 0.48, column + 0.48], row - 0.46, row + 0.46, color=face, alpha=0.3, linewidth=0)
        text = f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")
        weight, tint = ("bold", TEXT) if called else ("normal", "#6B747B")
        ax.text(column, row, text, ha="center", va="center", fontsize=8, color=tint, fontweight=weight)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    # Long names stand on the column's left edge, so that they need not be turned upright.
    ax.set_xticks(range(len(names)), names, rotation=30, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(names)), names)
    ax.set(xlim=(-0.5, len(names) - 0.5), ylim=(len(names) - 0.5, -0.5))
    ax.set_xlabel(f"{quantity}: row less column")
    return ax
