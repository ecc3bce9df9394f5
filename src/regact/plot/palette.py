"""The colours of all figures, told apart also by colour-blind readers and in grey.

Okabe and Ito's eight (https://jfly.uni-koeln.de/color/), yellow left out because it vanishes on white; wine and indigo
of Paul Tol's muted scheme (https://personal.sron.nl/~pault/) make them nine, as many as the paper has models.
"""

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#882255", "#332288")
LINE_STYLES = ("-", "--", ":", "-.")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
MEASURED = "#9CC9E8"  # light, behind the prediction
PREDICTED = "#08306B"  # dark, on what was measured
FEW_TO_MANY = (MEASURED, PREDICTED)  # of a map of numbers
FLOOR = "#8A9299"  # what models are held against
GRID = "#E3E6E8"
TEXT = "#22282D"

# An assay keeps its colour in every figure.
ASSAY_COLORS = {"CAGE": COLORS[1], "DNASE": COLORS[0], "ATAC": COLORS[4], "CHIP": COLORS[2]}


def color(index: int) -> str:
    """Return the colour of the `index`-th thing in a figure; they repeat after nine."""
    return COLORS[index % len(COLORS)]


def line_style(index: int) -> str:
    """Return a line style that changes where the colours begin to repeat."""
    return LINE_STYLES[index // len(COLORS) % len(LINE_STYLES)]


def marker(index: int) -> str:
    """Return the marker of the `index`-th thing in a figure, so that not colour alone tells it."""
    return MARKERS[index % len(MARKERS)]


def assay_color(assay: str) -> str:
    """Return the colour of an assay; grey-black for one without a colour of its own."""
    return ASSAY_COLORS.get(assay.upper(), COLORS[6])
