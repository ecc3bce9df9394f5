"""Measured against predicted means in deciles of prediction: on the diagonal, predictions mean what they say."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from regact.plot.axes import prepare_axes
from regact.plot.palette import TEXT, color

Deciles = Float[np.ndarray, "decile"]


def plot_calibration(curves: Mapping[str, tuple[Deciles, Deciles]], *, ax: Axes | None = None) -> Axes:
    """Draw `curves[name] = (predicted, measured)`, means of each decile over the mean measured value of all bins.

    Both axes are logarithmic and the diagonal is drawn; deciles with a mean of 0 or NaN have no place there and are
    left out.
    """
    ax = prepare_axes(ax, size=(4.7, 4.6), grid="both")
    ax.set_xscale("log")
    ax.set_yscale("log")
    shown = []
    for index, (name, (predicted, measured)) in enumerate(curves.items()):
        positive = (predicted > 0) & (measured > 0)  # false for NaN
        x, y = predicted[positive], measured[positive]
        ax.plot(x, y, marker="o", markersize=4.5, linewidth=1.4, color=color(index), label=name)
        shown += [x, y]
    values = np.concatenate(shown) if shown else np.empty(0)
    low, high = (values.min() / 1.5, values.max() * 1.5) if len(values) else (0.1, 10.0)
    ax.plot([low, high], [low, high], color=TEXT, linewidth=1, linestyle="--", zorder=1)
    ax.set_xlim(low, high)
    ax.set_ylim(low, high)
    ax.set_aspect("equal")
    ax.set_xlabel("predicted mean of a decile / measured mean")
    ax.set_ylabel("measured mean of a decile / measured mean")
    if curves:
        ax.legend(frameon=False, fontsize=9, loc="upper left")
    return ax
