"""From a spec to a network with fresh weights."""

from typing import assert_never, cast

import torch
from torch import nn

from regact.model.context.attention import Attention
from regact.model.context.dilated import DilatedStack
from regact.model.context.distance import (
    ConstantDecay,
    DistanceFunction,
    LearnedDecay,
    NoDistance,
    TwoSidedDecay,
    peak_alphas,
)
from regact.model.context.pooling import DistancePooling
from regact.model.conv_tower import ConvTower
from regact.model.head import Head, TrackHead
from regact.model.sequence_model import SequenceModel
from regact.model.spec import AttentionSpec, ContextSpec, DilatedSpec, DistanceSpec, ModelSpec, PoolingSpec
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
    if isinstance(layer, PoolingSpec):
        return DistancePooling(build_distance(layer.distance, layer.heads))
    if isinstance(layer, AttentionSpec):
        return Attention(
            channels,
            build_distance(layer.distance, layer.heads),
            heads=layer.heads,
            distance_after_softmax=layer.distance_place == "after_softmax",
            renormalise=layer.renormalise,
        )
    assert_never(layer)


def build_distance(spec: DistanceSpec, heads: int) -> DistanceFunction:
    """The distance function of `spec` for `heads` heads, at its start.

    Raises: ValueError where the numbers of `spec` are not those of its kind and of so many heads.
    """
    if problem := spec.problem(heads):
        raise ValueError(problem)
    match spec.kind:
        case "none":
            return NoDistance(heads)
        case "constant":
            return ConstantDecay(spec.alphas)
        case "variable":
            return LearnedDecay(spec.alphas)
        case "two_sided":
            half = cast(float, spec.half_window_bins)  # there, or it would have been a problem
            pairs = [peak_alphas(p, h, half) for p, h in zip(spec.peaks, spec.heights, strict=True)]
            right, left = zip(*pairs, strict=True)
            return TwoSidedDecay(right, left, half_window_bins=half)
        case _:
            assert_never(spec.kind)
