"""Bars of the given length, intervals and limits where they are, nothing for what is not known."""

import math

import pytest

from regact.plot import Score, plot_scores
from regact.plot.palette import FLOOR, color


def test_bars_and_limits_show_the_given_values():
    scores = [Score("a", 0.4), Score("b", math.nan), Score("4-mers", -0.1, is_floor=True)]
    ax = plot_scores(scores, limits={"the truth": 1.0}, quantity="distal accuracy")
    assert [bar.get_width() for bar in ax.patches] == [0.4, 0.0, -0.1]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b", "4-mers"]
    assert ax.get_xlabel() == "distal accuracy"
    assert [text.get_text() for text in ax.texts] == ["0.400", "−0.100", "the truth"]
    assert ax.get_lines()[0].get_xdata()[0] == 1.0


def test_the_floor_is_told_from_models():
    ax = plot_scores([Score("a", 0.4), Score("floor", 0.4, is_floor=True)], quantity="r")
    faces = [bar.get_facecolor()[:3] for bar in ax.patches]
    assert faces == [pytest.approx(rgb(color(0))), pytest.approx(rgb(FLOOR))]


def rgb(text: str) -> tuple[float, ...]:
    return tuple(int(text[i : i + 2], 16) / 255 for i in (1, 3, 5))


def test_interval_and_seeds_lie_where_they_were_found():
    ax = plot_scores([Score("a", 0.4, 0.35, 0.5, seeds=(0.38, 0.42))], quantity="r")
    ends = {tuple(line.get_xdata()) for line in ax.get_lines() if len(line.get_xdata()) == 2}
    assert (0.35, 0.5) in ends
    assert ax.collections[0].get_offsets()[:, 0].tolist() == [0.38, 0.42]
    assert ax.get_xlim()[1] > 0.5


def test_one_seed_has_no_dot_and_half_an_interval_is_none():
    ax = plot_scores([Score("a", 0.4, low=0.3, seeds=(0.4,))], quantity="r")
    assert not ax.collections
    assert not any(0.3 in line.get_xdata() for line in ax.get_lines())


def test_the_first_model_stands_on_top():
    ax = plot_scores([Score("a", 0.4), Score("b", 0.2)], quantity="r")
    assert ax.transData.transform((0, 0))[1] > ax.transData.transform((0, 1))[1]
