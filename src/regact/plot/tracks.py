"""Measured and predicted signal over one region, one panel a track."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from regact.plot.axes import prepare_axes
from regact.plot.palette import MEASURED, color


@dataclass(frozen=True)
class TrackPanel:
    """One track over a region: counts per bin as measured, and as each named run predicts them."""

    title: str
    measured: Float[np.ndarray, "bin"]
    predicted: Mapping[str, Float[np.ndarray, "bin"]]


def plot_tracks(
    panels: Sequence[TrackPanel], *, chrom: str, start: int, bin_bp: int, axes: Sequence[Axes] | None = None
) -> list[Axes]:
    """Draw each track's measured counts light and filled, predictions dark on top, on a shared axis of positions.

    `start` is the first bin's first base, 0-based. `axes` holds one per panel; without it a new figure is made.
    """
    if axes is None:
        figure = Figure(figsize=(9, 0.5 + 1.25 * len(panels)), layout="constrained")
        axes = list(figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0])
    for panel, ax in zip(panels, axes, strict=True):
        _draw_panel(panel, prepare_axes(ax), start + bin_bp * np.arange(len(panel.measured) + 1))
    axes[0].legend(frameon=False, fontsize=8, ncols=4, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.2)
    axes[-1].set_xlabel(f"position on {chrom} (kb)")
    axes[-1].xaxis.set_major_formatter(FuncFormatter(lambda position, _: f"{position / 1000:,.0f}"))
    return list(axes)


def _draw_panel(panel: TrackPanel, ax: Axes, edges: np.ndarray) -> None:
    # Steps with their edges, not points: a bin's count belongs to all of its bases.
    ax.stairs(panel.measured, edges, fill=True, color=MEASURED, label="measured")
    for index, (label, values) in enumerate(panel.predicted.items()):
        ax.stairs(values, edges, color=color(index), linewidth=1.1, alpha=0.9, label=label, baseline=None)
    ax.set_title(panel.title, loc="left", fontsize=9)
    ax.set_ylabel("count per bin", fontsize=8)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=3))
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(bottom=0)
