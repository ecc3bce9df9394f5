"""Parallel coordinates: a line for each trial of a search across its settings, coloured by what it reached."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from regact.plot.axes import prepare_axes
from regact.plot.palette import TEXT

COLORMAP = "viridis"  # even in lightness, told apart by colour-blind readers and in grey
_POINTS_BETWEEN_AXES = 30


@dataclass(frozen=True)
class ParallelAxis:
    """One vertical axis: what it shows, and the texts of its ticks with their heights from 0 to 1."""

    label: str
    ticks: Mapping[str, float]


def plot_parallel_coordinates(
    axes: Sequence[ParallelAxis],
    heights: Float[np.ndarray, "trial axis"],
    *,
    scores: Float[np.ndarray, "trial"],
    faint: Bool[np.ndarray, "trial"],
    best: int,
    quantity: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw each trial through its `heights` (0 to 1), coloured by `scores`, whose name and unit is `quantity`.

    `faint` trials (those ended early) are dotted; the `best` one is drawn broad and on top.
    """
    ax = prepare_axes(ax, size=(1.6 + 1.25 * max(len(axes), 3), 4.0))
    colors = ScalarMappable(Normalize(float(scores.min()), float(scores.max())), COLORMAP)
    places = np.arange(len(axes))
    for trial in np.argsort(scores, kind="stable"):  # better ones over worse ones
        width, style = (0.9, ":") if faint[trial] else (1.3, "-")
        ax.plot(*_eased(heights[trial]), color=colors.to_rgba(scores[trial]), linewidth=width, linestyle=style)
    ax.plot(*_eased(heights[best]), color=TEXT, linewidth=2.6, label="best", zorder=3)
    if faint.any():
        ax.plot([], [], color=TEXT, linewidth=0.9, linestyle=":", label="ended early")
    for place, axis in enumerate(axes):
        _draw_axis(ax, place, axis)
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.grid(visible=False)
    ax.set_xticks(places, [axis.label for axis in axes], rotation=25, ha="right", rotation_mode="anchor")
    ax.tick_params(axis="x", length=0)
    ax.set_yticks([])
    ax.set_xlim(-0.1, len(axes) - 0.6)
    ax.set_ylim(-0.03, 1.03)
    ax.figure.colorbar(colors, ax=ax, label=quantity, pad=0.02)
    ax.legend(frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return ax


def _eased(heights: Float[np.ndarray, "axis"]) -> tuple[np.ndarray, np.ndarray]:
    """A line through the heights that meets every axis level, so that the eye can follow it through a shared point."""
    share = np.linspace(0, 1, _POINTS_BETWEEN_AXES, endpoint=False)
    ease = share**2 * (3 - 2 * share)
    across = np.arange(len(heights) - 1)[:, None] + share
    up = heights[:-1, None] + np.diff(heights)[:, None] * ease
    return np.append(across, len(heights) - 1), np.append(up, heights[-1])


def _draw_axis(ax: Axes, place: int, axis: ParallelAxis) -> None:
    ax.axvline(place, color=TEXT, linewidth=0.8)
    for text, height in axis.ticks.items():
        ax.plot([place, place + 0.03], [height, height], color=TEXT, linewidth=0.8)
        ax.annotate(
            text, (place, height), (6, 0), textcoords="offset points", va="center", fontsize=8, color=TEXT, zorder=4,
            bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.5},
        )  # fmt: skip
