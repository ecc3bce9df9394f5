"""From a spec to a network with fresh weights."""

import torch
from torch import nn

from regact.model.context.attention import Attention
from regact.model.context.dilated import DilatedStack
from regact.model.context.distance import ConstantDecay, LearnedDecay, NoDistance, TwoSidedDecay, peak_alphas
from regact.model.context.pooling import DistancePooling
from regact.model.conv_tower import ConvTower
from regact.model.head import Head
from regact.model.sequence_model import SequenceModel
from regact.model.spec import ContextSpec, DilatedSpec, DistanceSpec, ModelSpec, PoolingSpec


def build_model(spec: ModelSpec, *, seed: int | None = None) -> SequenceModel:
    """The network of `spec` on the CPU, in training mode; `spec` stays with it as `model.spec`.

    With a `seed` the weights are a pure function of spec and seed, and torch's generator is left as it was found;
    without one they are drawn from torch's generator.
    """
    if seed is None:
        return _build(spec)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return _build(spec)


def _build(spec: ModelSpec) -> SequenceModel:
    relu_first, epsilon = spec.block.relu_first, spec.block.epsilon
    tower = ConvTower(
        spec.tower.filters,
        spec.tower.widths,
        spec.tower.pools,
        dropout=spec.tower.dropout,
        relu_first=relu_first,
        epsilon=epsilon,
    )
    layers, channels = [], spec.tower.filters[-1]
    for layer in spec.context:
        layers.append(_context_layer(layer, channels, relu_first=relu_first, epsilon=epsilon))
        channels = layer.channels_out(channels)
    head = Head(
        channels,
        spec.head.filters,
        spec.tracks,
        dropout=spec.head.dropout,
        relu_first=relu_first,
        epsilon=epsilon,
    )
    model = SequenceModel(
        tower,
        nn.Sequential(*layers),
        head,
        crop_bins=spec.crop_bins,
        link=spec.head.link,
        n_value=spec.n_value,
    )
    model.spec = spec
    return model


def _context_layer(spec: ContextSpec, channels: int, *, relu_first: bool, epsilon: float) -> nn.Module:
    if isinstance(spec, DilatedSpec):
        return DilatedStack(
            channels,
            spec.filters,
            spec.layers,
            width=spec.width,
            dropout=spec.dropout,
            relu_first=relu_first,
            epsilon=epsilon,
        )
    distance = build_distance(spec.distance, spec.heads)
    if isinstance(spec, PoolingSpec):
        return DistancePooling(distance)
    return Attention(
        channels,
        distance,
        heads=spec.heads,
        distance_after_softmax=spec.distance_place == "after_softmax",
        renormalise=spec.renormalise,
    )


def build_distance(spec: DistanceSpec, heads: int) -> nn.Module:
    """The distance function of `spec` for `heads` heads, at its start."""
    if spec.half_window_bins is not None:
        pairs = [peak_alphas(p, h, spec.half_window_bins) for p, h in zip(spec.peaks, spec.heights, strict=True)]
        right, left = zip(*pairs, strict=True)
        return TwoSidedDecay(right, left, half_window_bins=spec.half_window_bins)
    if spec.kind == "variable":
        return LearnedDecay(spec.alphas)
    if spec.kind == "constant":
        return ConstantDecay(spec.alphas)
    return NoDistance(heads)
