"""The values of many tracks: one line of a map per track, value on a logarithmic axis, share of bins as colour."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LogNorm

from regact.plot.axes import FULL_WIDTH, prepare_axes
from regact.plot.palette import COLORS, TEXT

MOST_NAMES = 80
LOWEST_SHARE = 1e-6
_INCHES_PER_TRACK = 0.17


def plot_value_distribution(
    shares: Float[np.ndarray, "track bin"],
    edges: Float[np.ndarray, "bin+1"],
    *,
    names: Sequence[str],
    groups: Sequence[str],
    zero: Float[np.ndarray, "track"],
    mean: Float[np.ndarray, "track"],
    maximum: Float[np.ndarray, "track"],
    ax: Axes | None = None,
) -> Axes:
    """Draw which values each track has, the tracks from top to bottom.

    Args:
        shares: Share of a track's bins with a value in each bin of `edges` (positive values only).
        edges: Limits of the value bins, above 0.
        names: Names of the tracks; written where there are no more than 80.
        groups: Assay of each track; written at the first of each run of equal ones where names are not.
        zero: Share of bins that are 0, written at the right where names are.
        mean, maximum: Marked by a line and a dot.
    """
    n_tracks = len(names)
    named = n_tracks <= MOST_NAMES
    height = 1.1 + (_INCHES_PER_TRACK * n_tracks if named else 7.0)
    ax = prepare_axes(ax, size=(FULL_WIDTH, max(height, 2.2)))
    shown = np.ma.masked_less(shares, LOWEST_SHARE)
    image = ax.pcolormesh(
        edges, np.arange(n_tracks + 1), shown, cmap="viridis", norm=LogNorm(LOWEST_SHARE, 1), rasterized=True
    )
    rows = np.arange(n_tracks) + 0.5
    if named:
        ax.vlines(np.maximum(mean, edges[0]), rows - 0.4, rows + 0.4, color=COLORS[1], linewidth=2, label="mean")
    else:
        ax.plot(np.maximum(mean, edges[0]), rows, color=COLORS[1], linewidth=1, label="mean")
    ax.scatter(maximum, rows, s=9 if named else 2, color=TEXT, zorder=3, label="maximum", clip_on=False)
    ax.set_xscale("log")
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(n_tracks, 0)
    ax.grid(visible=False)
    ax.set_xlabel("value of a bin (count, as stored); dark dot: maximum, orange: mean")
    if named:
        ax.set_yticks(rows, names)
        ax.tick_params(axis="y", length=0, labelsize=8)
        _write_zeros(ax, rows, zero)
    else:
        _write_groups(ax, groups)
    _explain_colors(ax, image, pad=0.09 if named else 0.02)
    return ax


def _explain_colors(ax: Axes, image: QuadMesh, *, pad: float) -> None:
    figure = ax.get_figure(root=True)
    if figure is not None:
        bar = figure.colorbar(image, ax=ax, pad=pad, aspect=40)
        bar.set_label("share of bins")
        bar.outline.set_visible(False)


def _write_zeros(ax: Axes, rows: np.ndarray, zero: np.ndarray) -> None:
    right = ax.get_yaxis_transform()
    for row, share in zip(rows, zero, strict=True):
        ax.text(1.015, row, f"{share:.1%}", transform=right, va="center", fontsize=8, color=TEXT)
    ax.text(1.015, -0.2, "bins at 0", transform=right, va="bottom", fontsize=8, color=TEXT)


def _write_groups(ax: Axes, groups: Sequence[str]) -> None:
    """Name each run of equal groups in its middle, with a line where it begins."""
    starts = [row for row in range(len(groups)) if row == 0 or groups[row] != groups[row - 1]]
    ends = [*starts[1:], len(groups)]
    ax.set_yticks([(start + end) / 2 for start, end in zip(starts, ends, strict=True)], [groups[row] for row in starts])
    ax.tick_params(axis="y", length=0)
    for start in starts[1:]:
        ax.axhline(start, color="white", linewidth=1)
