"""Learning curves: loss or accuracy over epochs, one colour a model."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from regact.plot.axes import prepare_axes
from regact.plot.palette import color, line_style


@dataclass(frozen=True)
class LearningCurve:
    """One run's course: `valid` after each of the epochs `epoch`, and `train` where it was measured.

    Runs of one `label` are seeds of one model.
    """

    label: str
    epoch: Float[np.ndarray, "epoch"]
    valid: Float[np.ndarray, "epoch"]
    train: Float[np.ndarray, "epoch"] | None = None


def plot_learning_curves(curves: Sequence[LearningCurve], *, quantity: str, ax: Axes | None = None) -> Axes:
    """Draw validation as a full line with a dot at each epoch and training as a faint dashed one.

    Seeds of one model share its colour and one entry of the legend. `quantity` names the y axis, with its unit where it
    has one.
    """
    ax = prepare_axes(ax)
    labels = list(dict.fromkeys(curve.label for curve in curves))
    named: set[str] = set()
    for curve in curves:
        index = labels.index(curve.label)
        if curve.train is not None:
            ax.plot(curve.epoch, curve.train, color=color(index), linestyle=(0, (2, 2)), linewidth=1.1, alpha=0.6)
        (line,) = ax.plot(curve.epoch, curve.valid, marker="o", markersize=2.5, linewidth=1.6)
        line.set(color=color(index), linestyle=line_style(index))
        if curve.label not in named:
            line.set_label(curve.label)
            named.add(curve.label)
    _frame_late_epochs(curves, ax)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    ax.set_xlabel("epoch")
    ax.set_ylabel(quantity)
    if curves:
        # Below: inside, many names would hide the curves.
        ax.legend(frameon=False, fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.16))
    return ax


def _frame_late_epochs(curves: Sequence[LearningCurve], ax: Axes) -> None:
    """Let the frame fit what follows the first epoch, whose value may be so far off that it flattens all others."""
    late = [np.asarray(y)[1:] for curve in curves for y in (curve.valid, curve.train) if y is not None and len(y) >= 4]
    values = np.concatenate(late) if late else np.empty(0)
    values = values[np.isfinite(values)]
    if len(values):
        margin = 0.15 * (values.max() - values.min()) or 0.1
        ax.set_ylim(values.min() - margin, values.max() + margin)
