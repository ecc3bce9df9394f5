"""Where the windows of each split lie on the chromosomes."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from regact.plot.axes import FULL_WIDTH, prepare_axes
from regact.plot.palette import COLORS, GRID

SPLIT_COLORS = {"train": COLORS[4], "valid": COLORS[5], "test": COLORS[1]}


def plot_split_map(
    regions: Mapping[str, Sequence[tuple[str, int, int]]],
    lengths: Mapping[str, int],
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw a bar per chromosome, coloured where a split's windows lie; the light rest is used by none.

    Args:
        regions: For each split, (chromosome, start, end) in bp.
        lengths: Lengths of the chromosomes to draw, in bp, from top to bottom.
    """
    ax = prepare_axes(ax, size=(FULL_WIDTH, 0.9 + 0.24 * len(lengths)))
    row = {chrom: index for index, chrom in enumerate(lengths)}
    ax.barh(list(row.values()), [length / 1e6 for length in lengths.values()], height=0.7, color=GRID)
    for split, places in regions.items():
        by_chrom: dict[str, list[tuple[float, float]]] = {}
        for chrom, start, end in places:
            if chrom in row:
                by_chrom.setdefault(chrom, []).append((start / 1e6, (end - start) / 1e6))
        for chrom, spans in by_chrom.items():
            ax.broken_barh(spans, (row[chrom] - 0.35, 0.7), facecolors=SPLIT_COLORS.get(split, COLORS[6]))
        ax.barh(0, 0, color=SPLIT_COLORS.get(split, COLORS[6]), label=split)
    ax.set_yticks(list(row.values()), list(row))
    ax.set_ylim(len(row) - 0.4, -0.6)
    ax.set_xlim(0, max(lengths.values()) / 1e6)
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False)
    ax.set_xlabel("position, Mb")
    ax.legend(frameon=False, fontsize=9, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return ax
