"""Learned distance functions: how much a bin may count for another by where it lies (Figure 8 of the paper)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from regact.plot.axes import prepare_axes
from regact.plot.palette import TEXT, color, line_style


@dataclass(frozen=True)
class DistanceCurve:
    """One head: `value` = f at each signed `offset_bp`, positive towards the right.

    `label` gives the half-life or the peak.
    """

    label: str
    offset_bp: Float[np.ndarray, "offset"]
    value: Float[np.ndarray, "offset"]


def plot_distance(curves: Sequence[DistanceCurve], *, ax: Axes | None = None) -> Axes:
    """Draw f over the signed distance, one line a head."""
    ax = prepare_axes(ax, size=(6.4, 4.2))
    ax.axvline(0, color=TEXT, linewidth=0.8, alpha=0.4)
    for index, curve in enumerate(curves):
        ax.plot(
            curve.offset_bp,
            curve.value,
            color=color(index),
            linestyle=line_style(index),
            linewidth=1.8,
            label=curve.label,
        )
    ax.xaxis.set_major_formatter(FuncFormatter(lambda bp, _: f"{bp / 1000:+g}" if bp else "0"))
    ax.set_xlabel("signed distance of the other bin (kb; + is to the right)")
    ax.set_ylabel("distance function f")
    ax.set_ylim(bottom=0)
    if curves:
        # Below: inside, it would hide the peaks.
        ax.legend(frameon=False, fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.16))
    return ax
