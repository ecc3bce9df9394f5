"""The figures of a sample's reads show the numbers given."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgba

from regact.plot import (
    plot_convergence,
    plot_coverage_histogram,
    plot_fragment_lengths,
    plot_gc_bias,
    plot_place_counts,
    plot_read_fates,
    plot_saturation,
)
from regact.plot.palette import FLOOR


@pytest.fixture(autouse=True)
def _leaves_matplotlib_as_it_was():
    before = dict(mpl.rcParams)
    yield
    assert dict(mpl.rcParams) == before


def test_fates_are_shares_from_top_to_bottom_with_their_numbers():
    ax = plot_read_fates({"one place": 750, "lost": 250}, counted=["one place"])
    assert [bar.get_width() for bar in ax.patches] == [0.25, 0.75]
    assert ax.patches[1].get_facecolor() != to_rgba(FLOOR) == ax.patches[0].get_facecolor()
    assert {text.get_text() for text in ax.texts} == {"250 (25.0%)", "750 (75.0%)"}


def test_reads_with_too_many_places_are_grey():
    ax = plot_place_counts(np.array([1_000, 10, 1]), left_out_above=2)
    assert [bar.get_height() for bar in ax.patches] == [1_000, 10, 1]
    assert [bar.get_facecolor() == to_rgba(FLOOR) for bar in ax.patches] == [False, False, True]
    assert ax.get_yscale() == "log"
    assert ax.get_ylim()[0] < 1


def test_convergence_has_its_end():
    ax = plot_convergence([0.5, 0.05, 0.001], tolerance=0.01)
    np.testing.assert_allclose(ax.lines[0].get_xydata(), [[1, 0.5], [2, 0.05], [3, 0.001]])
    assert ax.lines[1].get_ydata()[0] == 0.01
    assert plot_convergence([0.0], tolerance=0.0).get_yscale() == "linear"


def test_fragment_lengths_show_the_one_chosen():
    ax = plot_fragment_lengths(np.array([100, 101]), np.array([0.1, 0.3]), quantity="correlation", chosen_bp=101)
    assert ax.lines[1].get_xdata()[0] == 101
    assert ax.texts[0].get_text() == "101 bp"


def test_gc_bias_has_its_curve_and_is_not_pressed_flat_by_rare_gc():
    gc, amount = np.array([0.3, 0.4, 0.5, 0.9]), np.array([20.0, 60, 20, 0.01])
    before, after = np.array([0.5, 1, 2, 80]), np.array([1, 1, 1, 40])
    ax = plot_gc_bias(gc, {"before": before, "after": after}, amount=amount, counted="windows", fitted=before)
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["windows", "before", "after", "fitted"]
    np.testing.assert_allclose(ax.lines[2].get_ydata(), after)
    assert 2 < ax.get_ylim()[1] < 4
    assert ax.get_xlim()[1] < 0.6
    alone = plot_gc_bias(gc, {"before": before}, amount=amount, counted="bases")
    assert len(alone.lines) == 2


def test_histogram_and_saturation():
    ax = plot_coverage_histogram(np.array([0.5, 1, 2]), np.array([7, 90]))
    assert [bar.get_height() for bar in ax.patches] == [7, 90]
    reads = np.linspace(0, 100, 5)
    ax = plot_saturation(reads, reads / 2, sequenced=(50, 25))
    assert ax.lines[2].get_xydata().tolist() == [[50, 25]]
    assert ax.get_xlim() == (0, 100)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plot_read_fates({}),
        lambda: plot_place_counts(np.zeros(0, int), left_out_above=10),
        lambda: plot_convergence([], tolerance=0.1),
        lambda: plot_coverage_histogram(np.array([1.0, 2.0]), np.zeros(1, int)),
    ],
)
def test_nothing_can_be_drawn(draw):
    draw().figure.canvas.draw()
