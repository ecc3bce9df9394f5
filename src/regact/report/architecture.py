"""A network drawn from its spec: its layers, and how far one bin sees."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from regact.engine import whole_file
from regact.model import ModelSpec, build_model, count, reach_bp, receptive_field_bp
from regact.model.spec import DilatedSpec
from regact.plot import LayerBox, plot_architecture, plot_dilation, plot_distance
from regact.report.distance import distance_curves


def draw_architecture(spec: ModelSpec) -> Figure:
    """Return a figure of the network of `spec`: layers from bottom to top and, below, how bins see each other.

    The latter is the tree of dilated connections, or each head's distance function as it starts, or nothing.
    """
    boxes = _boxes(spec)
    dilated = next((layer for layer in spec.context if isinstance(layer, DilatedSpec)), None)
    curves = [] if dilated else distance_curves(build_model(spec.model_copy(update={"tracks": 1}), seed=0))
    heights = [0.34 * len(boxes) + 0.4] + [3.0] * bool(dilated or curves)
    figure = Figure(figsize=(8.4, sum(heights)), layout="constrained")
    # Figures of their own, so that the lower one's legend does not narrow the upper one.
    parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    plot_architecture(boxes, ax=parts[0].subplots()).set_title(_title(spec), fontsize=10)
    if dilated:
        plot_dilation([2 ** (i + 1) for i in range(dilated.layers)], bin_bp=spec.bin_bp, ax=parts[1].subplots())
    elif curves:
        plot_distance(curves, ax=parts[1].subplots())
    return figure


def save_architecture(spec: ModelSpec, path: Path | str) -> None:
    """Write the figure of `spec` to `path`, in the format of its ending (.svg, .png or .pdf)."""
    path = Path(path)
    figure = draw_architecture(spec)
    with whole_file(path) as unfinished, mpl.rc_context({"svg.hashsalt": "regact"}):
        figure.savefig(unfinished, format=path.suffix.lstrip(".") or "svg", metadata={"Date": None})


def _title(spec: ModelSpec) -> str:
    cost, reach = count(spec), reach_bp(spec)
    seen = "the whole window" if reach is None else f"{receptive_field_bp(spec):,} bp"
    return f"{spec.preset}: {cost.parameters / 1e6:.3g} M parameters, {cost.gmac:.4g} GMAC a window, a bin sees {seen}"


def _boxes(spec: ModelSpec) -> list[LayerBox]:
    layers = [
        LayerBox(
            layer.part,
            layer.name,
            f"{layer.channels:,} × {layer.positions:,}",
            f"{layer.parameters:,} parameters, {layer.macs / 1e9:.3g} GMAC",
        )
        for layer in count(spec).layers
    ]
    return [
        LayerBox("input", "one-hot sequence", f"4 × {spec.window_bp:,}"),
        *layers,
        LayerBox("output", f"link: {spec.head.link}", f"{spec.tracks:,} × {spec.bins:,} expected counts"),
    ]
