"""Measured and predicted signal over one region, one panel a track or a model (Figure 9 of the paper)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from regact.plot.axes import FULL_WIDTH, prepare_axes, title_panel
from regact.plot.palette import MEASURED, PREDICTED


@dataclass(frozen=True)
class TrackPanel:
    """Counts per bin over a region, as measured and as predicted; NaN where there is no bin."""

    title: str
    measured: Float[np.ndarray, "bin"]
    predicted: Float[np.ndarray, "bin"]


def plot_tracks(
    panels: Sequence[TrackPanel],
    *,
    chrom: str,
    edges: Float[np.ndarray, "bin+1"],
    axes: Sequence[Axes] | None = None,
) -> list[Axes]:
    """Draw in each panel the measured counts light and filled, and the predicted ones dark on top; all share both axes.

    Args:
        panels: From top to bottom.
        chrom: Name of the contig.
        edges: Where bins begin and end, in bp, 0-based; a gap between windows is a bin of NaN.
        axes: One per panel; a new figure without it.
    """
    if axes is None:
        figure = Figure(figsize=(FULL_WIDTH, 0.7 + 1.05 * len(panels)), layout="constrained")
        axes = list(figure.subplots(len(panels), 1, squeeze=False)[:, 0])
    highest = max(np.nanmax([panel.measured, panel.predicted]) for panel in panels)
    for panel, ax in zip(panels, axes, strict=True):
        _draw_panel(panel, prepare_axes(ax), edges)
        ax.set(xlim=(edges[0], edges[-1]), ylim=(0, 1.05 * highest or 1))
        ax.yaxis.set_major_locator(MaxNLocator(nbins=3))
        ax.xaxis.set_major_formatter(FuncFormatter(_kb))
        ax.tick_params(axis="x", labelbottom=ax is axes[-1])
        ax.set_ylabel("count per bin", fontsize=8)
    # Beside the name of the axis: above, it would stand in long titles.
    axes[-1].legend(frameon=False, fontsize=8, ncols=2, loc="upper right", bbox_to_anchor=(1, -0.26), borderaxespad=0)
    axes[-1].set_xlabel(f"position on {chrom} (kb)")
    return list(axes)


def _draw_panel(panel: TrackPanel, ax: Axes, edges: np.ndarray) -> None:
    # Steps with their edges, not points: a bin's count belongs to all of its bases. As pixels, since thousands of steps
    # in a dozen panels would make a page of megabytes.
    ax.stairs(panel.measured, edges, fill=True, color=MEASURED, label="measured", rasterized=True)
    ax.stairs(panel.predicted, edges, color=PREDICTED, linewidth=1, label="predicted", baseline=None, rasterized=True)
    title_panel(ax, panel.title)


def _kb(position: float, _: object) -> str:
    return f"{position / 1000:,.6g}"
