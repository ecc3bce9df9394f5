"""Drawings of a search: bars of importance, and a line a trial across its settings."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from regact.plot import ParallelAxis, plot_importance, plot_parallel_coordinates


def draw(heights, scores, **options):
    axes = [ParallelAxis(name, {"low": 0.0, "high": 1.0}) for name in ("rate", "layers", "score")]
    faint = np.zeros(len(scores), dtype=bool)
    return plot_parallel_coordinates(
        axes, heights, scores=scores, quantity="valid pearson", **{"faint": faint, "best": 0, **options}
    )


def trial_lines(ax):
    return [line for line in ax.get_lines() if len(line.get_xdata()) > 10]


def test_each_trial_goes_through_its_heights():
    heights = np.array([[0.1, 1.0, 0.9], [0.7, 0.0, 0.2]])
    ax = draw(heights, np.array([0.9, 0.2]))
    worse, better, best = trial_lines(ax)
    for line, row in ((worse, heights[1]), (better, heights[0]), (best, heights[0])):
        across, up = line.get_xdata(), line.get_ydata()
        np.testing.assert_allclose([up[across == place][0] for place in range(3)], row)
        assert up.min() >= row.min() - 1e-12
        assert up.max() <= row.max() + 1e-12
    assert to_hex(worse.get_color()) != to_hex(better.get_color())
    assert [text.get_text() for text in ax.get_xticklabels()] == ["rate", "layers", "score"]
    assert ax.figure.axes[1].get_ylabel() == "valid pearson"


def test_trials_that_ended_early_are_dotted():
    ax = draw(np.eye(3), np.array([0.3, 0.2, 0.1]), faint=np.array([False, True, False]))
    assert [line.get_linestyle() for line in trial_lines(ax)] == ["-", ":", "-", "-"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["best", "ended early"]


def test_bars_of_importance_are_ranked_and_numbered():
    ax = plot_importance({"a": 0.1, "b": 0.7, "c": 0.2}, quantity="importance")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "c", "b"]
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([0.1, 0.2, 0.7])
    assert [text.get_text() for text in ax.texts] == ["0.10", "0.20", "0.70"]
