"""What the drawings show: the numbers given, units on both axes, nothing global changed."""

import itertools

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from regact.plot import (
    COLORS,
    DistanceCurve,
    LearningCurve,
    TrackPanel,
    assay_color,
    color,
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


# Machado, Oliveira, Fernandes (2009): linear RGB as seen without red, green or blue cones.
CONE_LOSS = {
    "none": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def lab(hex_color: str, loss: str) -> np.ndarray:
    """CIE L*a*b* (D65) of a colour as seen with a loss of cones; distances of 10 and more are seen at a glance."""
    parts = np.array([int(hex_color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = to_xyz @ np.clip(CONE_LOSS[loss] @ linear, 0, 1) / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(np.maximum(xyz, 1e-9)), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("loss", CONE_LOSS)
def test_colours_are_told_apart_without_one_kind_of_cones(loss: str):
    seen = [lab(one, loss) for one in COLORS]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 15


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


def test_seeds_of_one_model_share_a_colour_and_a_name():
    curves = [LearningCurve(label, np.array([1.0, 2.0]), np.array([0.5, 0.4])) for label in ("a", "b", "a")]
    ax = plot_learning_curves(curves, quantity="loss")
    first, other, second = (line.get_color() for line in ax.get_lines())
    assert first == second != other
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]


def test_draws_into_the_axes_it_is_given():
    ax = Figure().subplots()
    assert plot_learning_curves([], quantity="loss", ax=ax) is ax


def test_distance_functions_are_labelled():
    offsets = np.linspace(-65_536, 65_536, 101)
    ax = plot_distance([DistanceCurve("half-life 2 kb", offsets, np.exp(-np.abs(offsets) / 2000))])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["half-life 2 kb"]
    assert "kb" in ax.get_xlabel()


def test_track_panels_share_both_axes_and_cover_whole_bins():
    panels = [TrackPanel("a", np.arange(4.0), np.ones(4)), TrackPanel("b", np.ones(4), np.full(4, 10.0))]
    edges = 1000 + 128 * np.arange(5)
    first, second = plot_tracks(panels, chrom="chr1", edges=edges)
    assert first.get_xlim() == second.get_xlim() == (1000, 1000 + 4 * 128)
    assert first.get_ylim() == second.get_ylim() == (0, 10.5)
    measured, predicted = first.patches
    np.testing.assert_array_equal(measured.get_data().values, panels[0].measured)
    np.testing.assert_array_equal(measured.get_data().edges, edges)
    np.testing.assert_array_equal(predicted.get_data().values, panels[0].predicted)
    assert measured.get_fill()
    assert luminance(to_hex(predicted.get_edgecolor())) < luminance(to_hex(measured.get_facecolor()))
    assert second.get_xlabel() == "position on chr1 (kb)"


def test_gaps_between_windows_are_left_out_of_the_panel_s_height():
    values = np.array([1.0, np.nan, 3.0])
    (ax,) = plot_tracks([TrackPanel("a", values, values / 2)], chrom="c", edges=np.array([0, 10, 50, 60]))
    assert ax.get_ylim() == (0, pytest.approx(3.15))


def test_number_of_axes_must_fit_the_panels():
    with pytest.raises(ValueError, match=r"shorter|longer"):
        plot_tracks(
            [TrackPanel(name, np.ones(2), np.ones(2)) for name in "ab"],
            chrom="c", edges=np.arange(3), axes=[Figure().subplots()],
        )  # fmt: skip


def test_a_first_epoch_far_off_does_not_flatten_the_rest():
    valid = np.array([600.0, 0.5, 0.4, 0.3])
    ax = plot_learning_curves([LearningCurve("a", np.arange(1.0, 5.0), valid)], quantity="loss")
    low, high = ax.get_ylim()
    assert low < 0.3 < 0.5 < high < 1
    short = plot_learning_curves([LearningCurve("a", np.arange(1.0, 3.0), valid[:2])], quantity="loss")
    assert short.get_ylim()[1] > 600
