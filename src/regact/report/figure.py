"""Figures as text that an HTML page can hold."""

import base64
import io

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure


def svg_data_uri(ax: Axes) -> str:
    """Return the figure of `ax` as a `data:` address of an SVG image; the same figure gives the same text."""
    figure = ax.figure.figure if not isinstance(ax.figure, Figure) else ax.figure
    buffer = io.BytesIO()
    # Letters as outlines: the page looks alike where no such font is installed. Without a salt, ids are random.
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "regact"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
