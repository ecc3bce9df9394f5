"""From a spec to a network with fresh weights."""

import torch
from torch import nn

from regact.model.context.attention import Attention
from regact.model.context.dilated import DilatedStack
from regact.model.context.distance import ConstantDecay, LearnedDecay, NoDistance, TwoSidedDecay, peak_alphas
from regact.model.context.pooling import DistancePooling
from regact.model.conv_tower import ConvTower
from regact.model.head import Head, TrackHead
from regact.model.sequence_model import SequenceModel
from regact.model.spec import ContextSpec, DilatedSpec, DistanceSpec, ModelSpec, PoolingSpec
from regact.model.stack.build import build_context, build_head, build_tower
from regact.model.stack.spec import StackHeadSpec, StackSpec


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
    tower = _tower(spec)  # first: weights are drawn in this order
    layers, channels = [], spec.tower_channels
    for number, layer in enumerate(spec.context):
        layers.append(_context_layer(layer, channels, spec, first=number == 0))
        channels = layer.channels_out(channels)
    model = SequenceModel(
        tower,
        nn.Sequential(*layers),
        _head(spec, channels),
        crop_bins=spec.crop_bins,
        link=spec.head.link,
        n_value=spec.n_value,
    )
    model.spec = spec
    return model


def _tower(spec: ModelSpec) -> nn.Module:
    tower, block = spec.tower, spec.block
    if isinstance(tower, StackSpec):
        return build_tower(tower)
    return ConvTower(
        tower.filters,
        tower.widths,
        tower.pools,
        dropout=tower.dropout,
        relu_first=block.relu_first,
        epsilon=block.epsilon,
    )


def _head(spec: ModelSpec, channels: int) -> TrackHead:
    head, block = spec.head, spec.block
    if isinstance(head, StackHeadSpec):
        return build_head(head, channels, spec.tracks)
    return Head(
        channels,
        head.filters,
        spec.tracks,
        dropout=head.dropout,
        relu_first=block.relu_first,
        epsilon=block.epsilon,
    )


def _context_layer(layer: ContextSpec, channels: int, spec: ModelSpec, *, first: bool) -> nn.Module:
    if isinstance(layer, StackSpec):
        return build_context(layer, channels, spec.kept if first else ())
    if isinstance(layer, DilatedSpec):
        return DilatedStack(
            channels,
            layer.filters,
            layer.layers,
            width=layer.width,
            dropout=layer.dropout,
            relu_first=spec.block.relu_first,
            epsilon=spec.block.epsilon,
        )
    distance = build_distance(layer.distance, layer.heads)
    if isinstance(layer, PoolingSpec):
        return DistancePooling(distance)
    return Attention(
        channels,
        distance,
        heads=layer.heads,
        distance_after_softmax=layer.distance_place == "after_softmax",
        renormalise=layer.renormalise,
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
