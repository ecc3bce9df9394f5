"""Learned distance functions: how much a bin may count for another by where it lies (Figure 8 of the paper)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from regact.plot.axes import HALF_WIDTH, prepare_axes
from regact.plot.palette import TEXT, color, line_style

_LONGEST_BESIDE = 30  # letters of a label that stands beside another


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
    columns = 2 if max((len(curve.label) for curve in curves), default=0) <= _LONGEST_BESIDE else 1
    ax = prepare_axes(ax, size=(HALF_WIDTH, 2.9 + 0.16 * -(-len(curves) // columns)))
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
    ax.xaxis.set_major_formatter(FuncFormatter(_signed_kb))
    ax.set_xlabel("signed distance of the other bin (kb; + is to the right)")
    ax.set_ylabel("distance function f")
    ax.set_ylim(bottom=0)
    if curves:
        # Below: inside, it would hide the peaks.
        ax.legend(
            frameon=False,
            fontsize=8,
            ncols=columns,
            columnspacing=1,
            handlelength=1.6,
            loc="upper center",
            bbox_to_anchor=(0.5, -0.16),
        )
    return ax


def _signed_kb(bp: float, _: object) -> str:
    return f"{bp / 1000:+g}".replace("-", "\N{MINUS SIGN}") if bp else "0"
