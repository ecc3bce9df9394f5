"""What the drawings show: the numbers given, units on both axes, nothing global changed."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from regact.plot import (
    COLORS,
    DistanceCurve,
    LearningCurve,
    TrackPanel,
    assay_color,
    color,
    plot_accuracy,
    plot_distance,
    plot_learning_curves,
    plot_tracks,
)


@pytest.fixture(autouse=True)
def _leaves_matplotlib_as_it_was():
    before = dict(mpl.rcParams)
    yield
    assert dict(mpl.rcParams) == before


def luminance(hex_color: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = np.array([int(hex_color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_colours_differ_and_show_on_white():
    assert len(set(COLORS)) == len(COLORS)
    assert all(1.05 / (luminance(c) + 0.05) > 2 for c in COLORS)
    assert color(0) == color(len(COLORS))
    assert assay_color("cage") == assay_color("CAGE") != assay_color("CHIP")


def test_learning_curves_show_the_given_values():
    curve = LearningCurve("a", np.array([1.0, 2.0]), np.array([0.5, 0.4]), train=np.array([0.45, 0.3]))
    ax = plot_learning_curves([curve], quantity="loss")
    train, valid = ax.get_lines()
    np.testing.assert_array_equal(train.get_ydata(), [0.45, 0.3])
    np.testing.assert_array_equal(valid.get_ydata(), [0.5, 0.4])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss")


def test_draws_into_the_axes_it_is_given():
    ax = Figure().subplots()
    assert plot_learning_curves([], quantity="loss", ax=ax) is ax


def test_distance_functions_are_labelled():
    offsets = np.linspace(-65_536, 65_536, 101)
    ax = plot_distance([DistanceCurve("half-life 2 kb", offsets, np.exp(-np.abs(offsets) / 2000))])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["half-life 2 kb"]
    assert "kb" in ax.get_xlabel()


def test_track_panels_share_positions_and_cover_whole_bins():
    panels = [TrackPanel(name, np.arange(4.0), {"m": np.ones(4)}) for name in "ab"]
    first, second = plot_tracks(panels, chrom="chr1", start=1000, bin_bp=128)
    assert first.get_xlim() == second.get_xlim() == (1000, 1000 + 4 * 128)
    values, edges, _ = first.patches[0].get_data()
    np.testing.assert_array_equal(values, panels[0].measured)
    np.testing.assert_array_equal(np.diff(edges), 128)


def test_accuracy_bars_are_means_without_tracks_of_no_variance():
    values = {"m": {"CAGE": np.array([0.2, 0.4, np.nan]), "DNASE": np.array([0.9])}}
    ax = plot_accuracy(values, quantity="Pearson r")
    heights = sorted(patch.get_height() for patch in ax.patches if np.isfinite(patch.get_height()))
    np.testing.assert_allclose(heights, [0.3, 0.9])


def test_many_tracks_become_a_violin():
    rng = np.random.default_rng(0)
    ax = plot_accuracy({"m": {"CAGE": rng.normal(0.5, 0.1, 100)}}, quantity="Pearson r")
    assert ax.collections


def test_number_of_axes_must_fit_the_panels():
    with pytest.raises(ValueError, match=r"shorter|longer"):
        plot_tracks(
            [TrackPanel("a", np.ones(2), {}), TrackPanel("b", np.ones(2), {})],
            chrom="c", start=0, bin_bp=1, axes=[Figure().subplots()],
        )  # fmt: skip


def test_a_first_epoch_far_off_does_not_flatten_the_rest():
    valid = np.array([600.0, 0.5, 0.4, 0.3])
    ax = plot_learning_curves([LearningCurve("a", np.arange(1.0, 5.0), valid)], quantity="loss")
    low, high = ax.get_ylim()
    assert low < 0.3 < 0.5 < high < 1
    short = plot_learning_curves([LearningCurve("a", np.arange(1.0, 3.0), valid[:2])], quantity="loss")
    assert short.get_ylim()[1] > 600
