"""Figures as an HTML page holds them."""

import base64
import io
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

CSS_PX_PER_INCH = 96
PIXELS_PER_INCH = 160  # of what is drawn as pixels: sharp in print, small in a page


@dataclass(frozen=True)
class FigureBlock:
    """A figure of a page: its image as a `data:` address, its natural width, what it shows, and the text below it."""

    image: str
    width_px: int
    alt: str
    caption: str


def figure_block(drawn: Axes | Figure, *, alt: str, caption: str) -> FigureBlock:
    """Return a figure, or the one that some axes belong to, ready for a page."""
    figure = drawn if isinstance(drawn, Figure) else drawn.get_figure(root=True)
    if figure is None:
        raise ValueError("the axes belong to no figure")
    return FigureBlock(_svg_data_uri(figure), round(CSS_PX_PER_INCH * figure.get_figwidth()), alt, caption)


def _svg_data_uri(figure: Figure) -> str:
    """Return the figure as the address of an SVG image; the same figure gives the same text."""
    buffer = io.BytesIO()
    # Letters as outlines: the page looks alike where no such font is installed. Without a salt, ids are random.
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "regact"}):
        figure.savefig(buffer, format="svg", dpi=PIXELS_PER_INCH, metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
