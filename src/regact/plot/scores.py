"""One number per model as bars, with intervals and seeds (Figure 7 of the paper), and the limits it could reach."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from regact.plot.axes import FULL_WIDTH, LETTERS, prepare_axes
from regact.plot.palette import FLOOR, TEXT, color

_HALF_BAR = 0.31


@dataclass(frozen=True)
class Score:
    """A model's number: `value` is the mean of `seeds` where there are several; `low` to `high` its 95 % interval.

    NaN is what is not known. A floor, which models are held against, is grey.
    """

    label: str
    value: float
    low: float = math.nan
    high: float = math.nan
    seeds: tuple[float, ...] = ()
    is_floor: bool = False

    @property
    def has_interval(self) -> bool:
        """Whether both ends are known."""
        return math.isfinite(self.low) and math.isfinite(self.high)


def plot_scores(
    scores: Sequence[Score], *, quantity: str, limits: Mapping[str, float] | None = None, ax: Axes | None = None
) -> Axes:
    """Draw a bar for each score from top to bottom, its number beside it, its interval and a dot for every seed.

    `limits` are drawn as dashed vertical lines, named above. `quantity` names the x axis.
    """
    ax = prepare_axes(ax, size=(FULL_WIDTH, score_height(len(scores))), grid="x")
    for row, score in enumerate(scores):
        _draw_score(ax, row, score)
    for name, value in (limits or {}).items():
        ax.axvline(value, color=TEXT, linewidth=1.2, linestyle="--")
        ax.annotate(name, (value, 1), (0, 3), xycoords=("data", "axes fraction"), textcoords="offset points",
                    ha="center", va="bottom", fontsize=LETTERS)  # fmt: skip
    ax.axvline(0, color=TEXT, linewidth=0.8)
    name_rows(ax, [score.label for score in scores])
    ax.set_xlabel(quantity)
    return ax


def score_height(models: int) -> float:
    """Return the height in inches of a panel with a row for each of so many models."""
    return 0.9 + 0.27 * max(models, 2)


def name_rows(ax: Axes, names: Sequence[str]) -> None:
    """Write one name per row, from top to bottom, in a frame that fits them."""
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(names) - 0.45, -0.55)


def _draw_score(ax: Axes, row: int, score: Score) -> None:
    known = math.isfinite(score.value)
    face = FLOOR if score.is_floor else color(row)
    ax.barh(row, score.value if known else 0.0, height=2 * _HALF_BAR, color=face, alpha=0.75)
    if not known:
        return
    right = max(score.value, 0.0)
    if score.has_interval:
        # Drawn from its ends: the value need not lie in the middle.
        (line,) = ax.plot([score.low, score.high], [row, row], color=TEXT, linewidth=1.3, marker="|", markersize=6)
        line.set_path_effects([withStroke(linewidth=3, foreground="white")])  # seen on a dark bar, too
        right = max(right, score.high)
    if len(score.seeds) > 1:
        # Below the middle, where the interval does not hide them.
        places = [row + 0.62 * _HALF_BAR] * len(score.seeds)
        ax.scatter(score.seeds, places, s=13, color=TEXT, edgecolors="white", linewidths=0.6, zorder=3)
        right = max(right, *score.seeds)
    text = f"{score.value:.3f}".replace("-", "\N{MINUS SIGN}")
    number = ax.annotate(text, (right, row), (4, 0), textcoords="offset points", va="center", fontsize=8, color=TEXT,
                         zorder=4)  # fmt: skip
    number.set_path_effects([withStroke(linewidth=3, foreground="white")])  # read across the line of a limit, too
    ax.update_datalim([(right * 1.16, row)])  # the number is no data; without this it would run out of the panel
    ax.autoscale_view(scaley=False)
