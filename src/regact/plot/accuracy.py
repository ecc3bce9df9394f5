"""Accuracy per assay and model: a bar for the mean, a dot for every track (a violin where there are many)."""

from collections.abc import Mapping
from typing import cast

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from regact.plot.axes import prepare_axes
from regact.plot.palette import TEXT, color

MANY_TRACKS = 30


def plot_accuracy(
    values: Mapping[str, Mapping[str, Float[np.ndarray, "track"]]], *, quantity: str, ax: Axes | None = None
) -> Axes:
    """Draw `values[model][assay]`, one number a track, in groups of assays.

    NaN, which a track without variance has, is left out.
    """
    ax = prepare_axes(ax)
    assays = list(dict.fromkeys(assay for by_assay in values.values() for assay in by_assay))
    width = 0.8 / max(len(values), 1)
    for index, (model, by_assay) in enumerate(values.items()):
        for group, assay in enumerate(assays):
            tracks = np.asarray(by_assay.get(assay, []), dtype=float)
            tracks = tracks[np.isfinite(tracks)]
            if len(tracks):
                place = group - 0.4 + width * (index + 0.5)
                _draw_tracks(ax, place, tracks, width=0.85 * width, face=color(index))
        ax.bar(np.nan, np.nan, color=color(index), label=model)  # one entry in the legend, whatever was drawn
    ax.axhline(0, color=TEXT, linewidth=0.8)
    ax.set_xticks(range(len(assays)), assays)
    ax.set_xlabel("assay")
    ax.set_ylabel(quantity)
    if values:
        ax.legend(frameon=False, fontsize=9, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return ax


def _draw_tracks(ax: Axes, place: float, tracks: np.ndarray, *, width: float, face: str) -> None:
    if len(tracks) >= MANY_TRACKS:
        violin = ax.violinplot(tracks, positions=[place], widths=width, showmeans=True, showextrema=False)
        for body in cast("list[PolyCollection]", violin["bodies"]):
            body.set(facecolor=face, alpha=0.6)
        violin["cmeans"].set_color(TEXT)
        return
    ax.bar(place, tracks.mean(), width=width, color=face, alpha=0.75)
    # Spread sideways by rank, so that equal dots do not hide each other; nothing random.
    ranks = np.argsort(np.argsort(tracks, kind="stable"), kind="stable")
    sideways = (ranks * 0.618 % 1 - 0.5) * 0.6 * width if len(tracks) > 1 else 0.0
    ax.scatter(place + sideways, tracks, s=9, color=TEXT, alpha=0.8, linewidths=0, zorder=3)
