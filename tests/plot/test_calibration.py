"""The picture of calibration shows the given means, and a diagonal."""

import numpy as np
from matplotlib.figure import Figure

from regact.plot import plot_calibration


def test_shows_the_given_deciles_and_the_diagonal():
    ax = plot_calibration({"CAGE": (np.array([0.1, 1.0, 4.0]), np.array([0.2, 1.0, 3.0]))})
    curve, diagonal = ax.get_lines()
    np.testing.assert_array_equal(curve.get_xdata(), [0.1, 1.0, 4.0])
    np.testing.assert_array_equal(curve.get_ydata(), [0.2, 1.0, 3.0])
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert "predicted" in ax.get_xlabel()
    assert "measured" in ax.get_ylabel()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["CAGE"]


def test_deciles_without_a_place_on_logarithmic_axes_are_left_out():
    ax = plot_calibration({"a": (np.array([0.0, 1.0, np.nan]), np.array([1.0, 2.0, np.nan]))})
    np.testing.assert_array_equal(ax.get_lines()[0].get_xdata(), [1.0])


def test_nothing_to_draw_and_given_axes():
    ax = Figure().subplots()
    assert plot_calibration({}, ax=ax) is ax
    assert len(ax.get_lines()) == 1
