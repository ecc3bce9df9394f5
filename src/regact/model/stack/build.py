"""From the specs of a stack to its modules, with fresh weights."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import nn

from regact.model.conv_block import SameConv1d
from regact.model.dropout import Dropout
from regact.model.stack.activation import Activation
from regact.model.stack.layer_spec import LayerSpec, channels_behind
from regact.model.stack.layers import BatchNorm, Concatenate, LayerNorm, MaxPool, Residual, Scale
from regact.model.stack.relative_attention import RelativeAttention
from regact.model.stack.separable_conv import SeparableConv1d
from regact.model.stack.spec import SEQUENCE_CHANNELS, StackBlockSpec, StackHeadSpec, StackSpec
from regact.model.stack.stack import StackBlock, StackContext, StackHead, StackTower
from regact.model.stack.unet import UNetJoin


def build_tower(spec: StackSpec) -> StackTower:
    """The tower of `spec`."""
    return StackTower(_blocks(spec.blocks, SEQUENCE_CHANNELS, ()))


def build_context(spec: StackSpec, channels: int, kept: Sequence[tuple[int, int]]) -> StackContext:
    """The context layer of `spec` on bins of `channels` and what the tower `kept`: channels, positions per bin."""
    blocks = _blocks(spec.blocks, channels, [kept_channels for kept_channels, _ in kept])
    return StackContext(blocks, channels=channels, kept=kept)


def build_head(spec: StackHeadSpec, channels: int, tracks: int) -> StackHead:
    """The head of `spec` on bins of `channels`."""
    return StackHead(_layers(spec.layers, channels, ()), channels_behind(spec.layers, channels), tracks)


def _blocks(specs: Sequence[StackBlockSpec], channels: int, kept: Sequence[int]) -> list[StackBlock]:
    blocks = []
    for spec in specs:
        blocks.append(StackBlock(_layers(spec.layers, channels, kept), keep=spec.keep))
        channels = channels_behind(spec.layers, channels)
    return blocks


def _layers(specs: Sequence[LayerSpec], channels: int, kept: Sequence[int]) -> list[nn.Module]:
    layers = []
    for spec in specs:
        layers.append(_BUILDERS[spec.kind](spec, channels, kept))
        channels = spec.channels_out(channels)
    return layers


def _branch(specs: Sequence[LayerSpec], channels: int, kept: Sequence[int]) -> nn.Sequential:
    return nn.Sequential(*_layers(specs, channels, kept))


def _unet(spec: Any, channels: int, kept: Sequence[int]) -> UNetJoin:
    side = _branch(spec.side, kept[spec.skip], kept)
    return UNetJoin(_branch(spec.main, channels, kept), side, skip=spec.skip, factor=spec.factor)


# From kind to what builds it: the layer's spec, the channels that go in, the channels of each thing that was kept.
_BUILDERS: dict[str, Callable[[Any, int, Sequence[int]], nn.Module]] = {
    "activation": lambda spec, _, __: Activation(spec.name),
    "conv": lambda spec, channels, _: SameConv1d(
        channels, spec.filters, spec.width, dilation=spec.dilation, bias=spec.bias
    ),
    "separable_conv": lambda spec, channels, _: SeparableConv1d(
        channels, spec.filters, spec.width, dilation=spec.dilation, bias=spec.bias
    ),
    "dense": lambda spec, channels, _: SameConv1d(channels, spec.units, 1, bias=spec.bias),
    "batch_norm": lambda spec, channels, _: BatchNorm(channels, epsilon=spec.epsilon, momentum=spec.momentum),
    "layer_norm": lambda spec, channels, _: LayerNorm(channels, epsilon=spec.epsilon),
    "scale": lambda _, channels, __: Scale(channels),
    "dropout": lambda spec, _, __: Dropout(spec.rate),
    "max_pool": lambda spec, _, __: MaxPool(spec.size),
    "relative_attention": lambda spec, channels, _: RelativeAttention(channels, **spec.model_dump(exclude={"kind"})),
    "residual": lambda spec, channels, kept: Residual(_branch(spec.layers, channels, kept)),
    "concatenate": lambda spec, channels, kept: Concatenate(_branch(spec.layers, channels, kept)),
    "unet": _unet,
}
