"""Bars of the given length, limits where they are, nothing for what was not computed."""

import math

from regact.plot import plot_limits


def test_bars_and_limits_show_the_given_values():
    ax = plot_limits({"a": 0.4, "b": math.nan}, {"the truth": 1.0}, quantity="distal accuracy")
    assert [bar.get_width() for bar in ax.patches] == [0.4, 0.0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    assert ax.get_xlabel() == "distal accuracy"
    assert [text.get_text() for text in ax.texts] == ["0.40", "the truth"]
    assert ax.get_lines()[0].get_xdata()[0] == 1.0
