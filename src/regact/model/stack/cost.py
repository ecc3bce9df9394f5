"""What the blocks of a stack cost and how far they see, from their specs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from regact.model.stack.layer_spec import LayerSpec, UNetSpec, channels_behind, in_words
from regact.model.stack.spec import StackBlockSpec


@dataclass(frozen=True)
class BlockCost:
    """A block of a stack: what comes out of it, and what it costs for one window; fields as in `model.cost.Layer`."""

    name: str
    channels: int
    positions: int
    parameters: int
    macs: int
    attention_weights: int


def block_costs(
    blocks: Sequence[StackBlockSpec], channels: int, positions: int, kept: Sequence[tuple[int, int]] = ()
) -> Iterator[BlockCost]:
    """The blocks in order; `kept` has channels and positions of each thing that the tower kept."""
    for block in blocks:
        costs = [
            (layer.parameters(c), layer.macs(c, p), layer.attention_weights(p))
            for layer, c, p in _leaves(block.layers, channels, positions, list(kept))
        ]
        channels = channels_behind(block.layers, channels)
        positions = _positions_behind(block.layers, positions)
        words = in_words(block.layers)
        name = f"{block.name}: {words}" if words else block.name
        yield BlockCost(name, channels, positions, *(sum(column) for column in zip(*costs, strict=True)))


def field(layers: Sequence[LayerSpec], stride: int) -> tuple[int, int, int] | None:
    """Bases beyond its own that a position behind `layers` sees to the left and right, and bases per position there.

    `stride` is how many bases a position before the layers stands for. None: the whole window, through attention.
    """
    left = right = 0
    for layer in layers:
        inner = field(layer.branches, stride)
        if layer.reach is None or inner is None:
            return None
        left, right = left + layer.reach[0] * stride + inner[0], right + layer.reach[1] * stride + inner[1]
        stride = stride * layer.pool // layer.upsample
        # The first of the positions that a coarse one became sees to that one's far end.
        left, right = left + (layer.upsample - 1) * stride, right + (layer.upsample - 1) * stride
    return left, right, stride


def _leaves(
    layers: Sequence[LayerSpec], channels: int, positions: int, kept: list[tuple[int, int]]
) -> Iterator[tuple[LayerSpec, int, int]]:
    """Every layer, those within branches included, with the channels and positions that go into it."""
    for layer in layers:
        yield layer, channels, positions
        yield from _leaves(layer.branches, channels, positions, kept)
        if isinstance(layer, UNetSpec):
            yield from _leaves(layer.side, *kept[layer.skip], kept)
        channels = layer.channels_out(channels)
        positions = _positions_behind([layer], positions)


def _positions_behind(layers: Sequence[LayerSpec], positions: int) -> int:
    for layer in layers:
        positions = -(-positions // layer.pool) * layer.upsample
    return positions
