"""Violins, cost, density and differences: the numbers that were given, with names and units."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from regact.plot import CostPoint, Score, plot_cost, plot_density, plot_differences, plot_violins
from regact.plot.violins import LEAST_FOR_VIOLIN, MOST_DOTS


def test_violins_leave_out_tracks_without_variance():
    ax = plot_violins({"m": np.array([0.2, np.nan, 0.4, 0.5])}, quantity="ρ of a track")
    dots, median = ax.collections
    assert sorted(dots.get_offsets()[:, 0]) == [0.2, 0.4, 0.5]
    assert median.get_segments()[0][:, 0].tolist() == [0.4, 0.4]
    assert ax.get_xlabel() == "ρ of a track"


@given(st.integers(0, 80), st.booleans())
def test_a_violin_takes_tracks_enough_and_a_spread(n_tracks: int, equal: bool):
    values = np.full(n_tracks, 0.5) if equal else np.linspace(-0.2, 0.9, n_tracks)
    ax = plot_violins({"m": values}, quantity="ρ", ax=Figure().subplots())
    n_violins = n_tracks >= LEAST_FOR_VIOLIN and not equal
    n_dots = 0 < n_tracks <= MOST_DOTS
    assert len(ax.collections) == n_violins + n_dots + (n_tracks > 0)


def test_costs_are_told_apart_by_more_than_colour():
    points = [CostPoint(10.0**i, Score(name, 0.1 * i, 0.1 * i - 0.05, 0.1 * i + 0.05)) for i, name in enumerate("abc")]
    ax = plot_cost(points, cost="GMAC", quantity="ρ")
    assert ax.get_xscale() == "log"
    assert [line.get_xdata()[0] for line in ax.get_lines()] == [1, 10, 100]
    assert len({line.get_marker() for line in ax.get_lines()}) == 3
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("GMAC", "ρ")
    segment = ax.collections[1].get_segments()[0]
    np.testing.assert_allclose(segment[:, 1], [0.05, 0.15])


def test_density_has_measured_to_the_right_and_predicted_upwards():
    counts = np.zeros((3, 3), dtype=np.int64)
    counts[2, 0] = 7  # measured high, predicted low
    ax = plot_density(counts, np.linspace(0, np.log1p(100), 4))
    shown = ax.collections[0].get_array()
    assert shown[0, 2] == 7
    assert shown.count() == 1
    assert [ax.xaxis.get_major_formatter()(tick, 0) for tick in ax.get_xticks()] == ["0", "1", "10", "100"]
    assert ax.get_xlabel().startswith("measured")
    assert ax.get_ylabel().startswith("predicted")


def test_density_of_nothing_is_drawn():
    assert plot_density(np.zeros((2, 2), dtype=np.int64), np.array([0.0, 1.0, 2.0])).collections


def test_differences_are_bold_where_they_are_called():
    difference = np.array([[np.nan, 0.1, 0.02], [-0.1, np.nan, -0.08], [-0.02, 0.08, np.nan]])
    differs = np.zeros((3, 3), dtype=bool)
    differs[0, 1] = differs[1, 0] = True
    ax = plot_differences(list("abc"), difference, differs, quantity="ρ")
    texts = {tuple(text.get_position()): text for text in ax.texts}
    assert len(texts) == 6
    assert texts[(1, 0)].get_text() == "+0.100"  # column 1, row 0: a less b
    assert texts[(0, 1)].get_text() == "−0.100"
    assert {place for place, text in texts.items() if text.get_fontweight() == "bold"} == {(1, 0), (0, 1)}
    better, worse = ax.collections
    assert not np.array_equal(better.get_facecolor(), worse.get_facecolor())


@pytest.mark.parametrize("differs", [np.zeros((2, 2), dtype=bool)])
def test_the_diagonal_stays_empty(differs):
    assert not plot_differences(["a", "b"], np.full((2, 2), np.nan), differs, quantity="ρ").texts
