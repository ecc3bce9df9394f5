"""The distance functions that a model has learned, read from its weights."""

import math

import torch

from regact.model import SequenceModel
from regact.model.context.distance import ConstantDecay, LearnedDecay, TwoSidedDecay
from regact.plot import DistanceCurve

_WITH_VALUES = (ConstantDecay, LearnedDecay, TwoSidedDecay)  # NoDistance has nothing to show


def distance_curves(model: SequenceModel) -> list[DistanceCurve]:
    """Return f over the signed distance for every head of every layer that has a distance function.

    Offsets go half a window either way, in steps of a bin. A decay is labelled with its half-life, a two-sided function
    with its peak.
    """
    layers = [module for module in model.context.modules() if isinstance(module, _WITH_VALUES)]
    half = model.spec.window_bp // model.spec.bin_bp // 2
    offsets = torch.arange(-half, half + 1, dtype=torch.float32)
    curves = []
    for layer, distance in enumerate(layers, start=1):
        with torch.no_grad():
            values = distance(offsets).numpy()
        for head, label in enumerate(_labels(distance, model.spec.bin_bp)):
            name = f"layer {layer} head {head + 1}" if len(layers) > 1 else f"head {head + 1}"
            curves.append(DistanceCurve(f"{name}: {label}", offsets.numpy() * model.spec.bin_bp, values[head]))
    return curves


def _labels(distance: torch.nn.Module, bin_bp: int) -> list[str]:
    if isinstance(distance, ConstantDecay | LearnedDecay):
        return [f"half-life {math.log(2) / alpha * bin_bp / 1000:.3g} kb" for alpha in distance.alphas.tolist()]
    if isinstance(distance, TwoSidedDecay):
        right, left = distance.log_alphas_right.detach().exp(), distance.log_alphas_left.detach().exp()
        peaks = distance.half_window_bins * (right - left) / (right + left)
        heights = torch.exp(-2 * distance.half_window_bins * right * left / (right + left))
        return [
            f"peak {peak * bin_bp / 1000:+.3g} kb, height {height:.2g}".replace("-", "\N{MINUS SIGN}")
            for peak, height in zip(peaks.tolist(), heights.tolist(), strict=True)
        ]
    raise TypeError(f"no label for the distance function {type(distance).__name__}")
