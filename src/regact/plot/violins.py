"""The accuracy of every single track, one violin a model."""

from collections.abc import Mapping
from typing import cast

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from regact.plot.axes import FULL_WIDTH, prepare_axes
from regact.plot.palette import TEXT, color
from regact.plot.scores import name_rows, score_height

LEAST_FOR_VIOLIN, MOST_DOTS = 8, 60


def plot_violins(values: Mapping[str, Float[np.ndarray, "track"]], *, quantity: str, ax: Axes | None = None) -> Axes:
    """Draw the distribution over tracks of each model's `values`, from top to bottom, its median as a line.

    Up to 60 tracks have a dot each; fewer than 8 have nothing else, for they show no distribution. NaN, which a track
    without variance has, is left out.
    """
    ax = prepare_axes(ax, size=(FULL_WIDTH, score_height(len(values))), grid="x")
    for row, tracks in enumerate(values.values()):
        known = np.asarray(tracks, dtype=float)
        known = known[np.isfinite(known)]
        if len(known):
            _draw_tracks(ax, row, known)
    name_rows(ax, list(values))
    ax.set_xlabel(quantity)
    return ax


def _draw_tracks(ax: Axes, row: int, tracks: np.ndarray) -> None:
    if len(tracks) >= LEAST_FOR_VIOLIN and np.ptp(tracks) > 0:  # a density needs a spread
        violin = ax.violinplot(tracks, positions=[row], widths=0.8, orientation="horizontal", showextrema=False)
        for body in cast("list[PolyCollection]", violin["bodies"]):
            body.set(facecolor=color(row), alpha=0.55)
    if len(tracks) <= MOST_DOTS:
        # Spread by rank, so that equal dots do not hide each other; nothing random.
        ranks = np.argsort(np.argsort(tracks, kind="stable"), kind="stable")
        aside = (ranks * 0.618 % 1 - 0.5) * 0.35
        ax.scatter(tracks, row + aside, s=8, color=color(row), linewidths=0, zorder=3)
    ax.vlines(np.median(tracks), row - 0.3, row + 0.3, color=TEXT, linewidth=1.6, zorder=4)
