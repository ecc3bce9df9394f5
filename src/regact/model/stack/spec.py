"""Blocks of layers, and the parts of a model that are such stacks."""

from collections.abc import Iterator, Sequence
from math import prod
from typing import Literal

from pydantic import Field

from regact.model.base_spec import Spec
from regact.model.link import LinkName
from regact.model.stack.layer_spec import LayerSpec, UNetSpec, channels_behind, pool_of

SEQUENCE_CHANNELS = 4  # what goes into a tower


class StackBlockSpec(Spec):
    """Layers in order, and the name under which tables and figures show them.

    What comes out of a tower's block with `keep`, a `UNetSpec` of the context reads again.
    """

    name: str
    layers: tuple[LayerSpec, ...] = Field(min_length=1)
    keep: bool = False


class StackSpec(Spec):
    """Blocks in order: a tower, or a layer of a context."""

    kind: Literal["stack"] = "stack"
    blocks: tuple[StackBlockSpec, ...] = Field(min_length=1)

    @property
    def layers(self) -> tuple[LayerSpec, ...]:
        """The layers of all blocks, in order."""
        return tuple(layer for block in self.blocks for layer in block.layers)

    @property
    def bin_bp(self) -> int:
        """Positions that go in for one that comes out: of a tower, the bases per bin."""
        return pool_of(self.layers)

    @property
    def upsample(self) -> int:
        """Positions that come out for one that goes in: of a context, how many bins it makes of a tower's bin."""
        return prod(layer.upsample for layer in self.layers)

    def leaves(self) -> Iterator[LayerSpec]:
        """Every layer, each followed by those within its branches."""
        yield from _leaves(self.layers)

    def channels_out(self, channels: int) -> int:
        """Channels behind the last block when `channels` go in; what was kept is not among them."""
        return channels_behind(self.layers, channels)

    def kept(self) -> tuple[tuple[int, int], ...]:
        """Of each block of a tower that keeps: its channels, and its positions per bin."""
        found, channels, bases = [], SEQUENCE_CHANNELS, 1
        for block in self.blocks:
            channels = channels_behind(block.layers, channels)
            bases *= pool_of(block.layers)
            if block.keep:
                found.append((channels, self.bin_bp // bases))
        return tuple(found)

    def misjoined(self, channels: int, kept: tuple[tuple[int, int], ...]) -> Iterator[str]:
        """What does not fit in the U-Net joins of a context on bins of `channels`, with what the tower `kept`."""
        positions = 1
        for layer in self.layers:
            positions *= layer.upsample
            if isinstance(layer, UNetSpec):
                if layer.skip >= len(kept):
                    yield f"a U-Net join reads what was kept as number {layer.skip}; the tower keeps {len(kept)}"
                    return
                width, found = kept[layer.skip]
                if found != positions:
                    yield f"a U-Net join makes {positions} positions a bin and adds what has {found}"
                main, side = channels_behind(layer.main, channels), channels_behind(layer.side, width)
                if main != side:
                    yield f"a U-Net join adds {side} channels to {main}"
            channels = layer.channels_out(channels)


def _leaves(layers: Sequence[LayerSpec]) -> Iterator[LayerSpec]:
    for layer in layers:
        yield layer
        yield from _leaves(layer.branches)
        if isinstance(layer, UNetSpec):
            yield from _leaves(layer.side)


class StackHeadSpec(Spec):
    """Layers that take each bin for itself, then an affine map to the tracks and the link to the rate."""

    layers: tuple[LayerSpec, ...] = ()
    link: LinkName = "softplus"

    def leaves(self) -> Iterator[LayerSpec]:
        """Every layer, each followed by those within its branches."""
        yield from _leaves(self.layers)
