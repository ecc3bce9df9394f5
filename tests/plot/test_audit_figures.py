"""The figures of a dataset's audit show the numbers given."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgba

from regact.plot import SPLIT_COLORS, plot_share_histogram, plot_split_map, plot_value_distribution
from regact.plot.value_distribution import MOST_NAMES


@pytest.fixture(autouse=True)
def _leaves_matplotlib_as_it_was():
    before = dict(mpl.rcParams)
    yield
    assert dict(mpl.rcParams) == before


def test_bars_of_the_groups_stand_side_by_side_in_their_bin():
    counts = {"train": np.array([10_000, 0]), "test": np.array([1, 30])}
    ax = plot_share_histogram(counts, np.array([0, 0.5, 1]), quantity="masked", counted="windows", colors=SPLIT_COLORS)
    train, test = ax.containers
    assert [bar.get_height() for bar in train] == [10_000, 0]
    assert [bar.get_height() for bar in test] == [1, 30]
    for one, other, low in zip(train, test, (0, 0.5), strict=True):
        assert low < one.get_x() < one.get_x() + one.get_width() <= other.get_x() + 1e-9
        assert other.get_x() + other.get_width() < low + 0.5
    bottom, top = ax.get_ylim()
    assert bottom < 1 < 10_000 < top  # a single window is seen, and the largest bar is whole
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("masked", "windows", "log")
    assert test[0].get_facecolor() == to_rgba(SPLIT_COLORS["test"])


def test_a_histogram_of_nothing_can_be_drawn():
    plot_share_histogram(
        {"test": np.zeros(2, int)}, np.array([0, 0.5, 1]), quantity="q", counted="c"
    ).figure.canvas.draw()


def draw_values(n_tracks):
    rng = np.random.default_rng(0)
    shares = rng.random((n_tracks, 4)) * 0.1
    shares[0, 0] = 0
    ax = plot_value_distribution(
        shares,
        np.array([0.5, 1, 2, 4, 8]),
        names=[f"track{i}" for i in range(n_tracks)],
        groups=["CAGE"] * 2 + ["CHIP"] * (n_tracks - 2),
        zero=np.full(n_tracks, 0.25),
        mean=np.full(n_tracks, 1.5),
        maximum=np.full(n_tracks, 7.5),
    )
    ax.figure.canvas.draw()
    return shares, ax


def test_tracks_are_named_from_top_to_bottom_with_their_zeros():
    shares, ax = draw_values(5)
    assert [label.get_text() for label in ax.get_yticklabels()] == [f"track{i}" for i in range(5)]
    assert ax.yaxis_inverted()
    assert [text.get_text() for text in ax.texts] == ["25.0%"] * 5 + ["bins at 0"]
    mesh = ax.collections[0].get_array()
    assert mesh.mask[0, 0]
    np.testing.assert_array_equal(np.ma.getdata(mesh)[1:], shares[1:])
    assert ax.get_xscale() == "log"


def test_many_tracks_are_named_by_assay_at_its_middle():
    _, ax = draw_values(MOST_NAMES + 2)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["CAGE", "CHIP"]
    assert ax.get_yticks().tolist() == [1, 2 + MOST_NAMES / 2]


def test_windows_are_drawn_in_mb_on_their_chromosome():
    regions = {"train": [("chr1", 0, 2_000_000)], "test": [("chr2", 500_000, 1_000_000), ("chr9", 0, 5)]}
    ax = plot_split_map(regions, {"chr1": 3_000_000, "chr2": 1_000_000})
    assert [label.get_text() for label in ax.get_yticklabels()] == ["chr1", "chr2"]
    train, test = (c.get_paths()[0].get_extents() for c in ax.collections)
    assert (train.x0, train.x1, round((train.y0 + train.y1) / 2)) == (0, 2, 0)
    assert (test.x0, test.x1, round((test.y0 + test.y1) / 2)) == (0.5, 1, 1)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["train", "test"]
    assert ax.get_xlabel() == "position, Mb"
