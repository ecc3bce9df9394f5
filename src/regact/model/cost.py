"""What a network costs, counted from its spec: parameters, and multiply-accumulates of one forward pass."""

from collections.abc import Iterator
from dataclasses import dataclass

from regact.model.spec import AttentionSpec, DilatedSpec, ModelSpec, PoolingSpec
from regact.model.stack.cost import BlockCost, block_costs
from regact.model.stack.layer_spec import channels_behind
from regact.model.stack.spec import SEQUENCE_CHANNELS, StackBlockSpec, StackHeadSpec, StackSpec

_PARAMETERS_PER_HEAD = {"none": 0, "constant": 0, "variable": 1, "two_sided": 2}
_DISTANCE_NAMES = {
    "none": "no distance function",
    "constant": "constant decay",
    "variable": "learned decay",
    "two_sided": "two-sided decay",
}


@dataclass(frozen=True)
class Layer:
    """One layer of a network: what comes out of it, and what it costs for one window.

    `macs` are the multiply-accumulates of convolutions and matrix products; normalisation, activations, pooling and
    softmax are left out. `parameters` are what training changes; batch norm's running statistics are none.
    `attention_weights`, one for each head and pair of positions, are held in memory besides what comes out.
    """

    part: str  # tower, context or head
    name: str
    channels: int
    positions: int
    parameters: int
    macs: int
    attention_weights: int = 0


@dataclass(frozen=True)
class Cost:
    """A network's cost: the sums over its layers."""

    layers: tuple[Layer, ...]

    @property
    def parameters(self) -> int:
        """Trainable parameters."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one window, forward."""
        return sum(layer.macs for layer in self.layers)

    @property
    def gmac(self) -> float:
        """`macs` in 10^9. A training step costs about three times as many: forward and two gradients."""
        return self.macs / 1e9


def count(spec: ModelSpec) -> Cost:
    """The cost of a network of this spec, layer by layer."""
    bins = spec.window_bp // spec.tower.bin_bp
    layers, channels = [*_tower(spec)], spec.tower_channels
    for number, layer in enumerate(spec.context):
        if isinstance(layer, StackSpec):
            kept = [(c, bins * positions) for c, positions in spec.kept] if number == 0 else []
            layers += [_of_stack("context", block) for block in block_costs(layer.blocks, channels, bins, kept)]
            bins *= layer.upsample
        else:
            layers += _context_layer(layer, channels, bins)
        channels = layer.channels_out(channels)
    return Cost((*layers, *_head(spec, channels)))


def _head(spec: ModelSpec, channels: int) -> Iterator[Layer]:
    if isinstance(spec.head, StackHeadSpec):
        if spec.head.layers:
            block = StackBlockSpec(name="block", layers=spec.head.layers)
            yield from (_of_stack("head", cost) for cost in block_costs([block], channels, spec.bins))
            channels = channels_behind(spec.head.layers, channels)
    else:
        yield _block("head", "conv 1", channels, spec.head.filters, 1, spec.bins)
        channels = spec.head.filters
    affine = channels * spec.tracks
    yield Layer("head", "affine", spec.tracks, spec.bins, affine + spec.tracks, affine * spec.bins)


def _of_stack(part: str, block: BlockCost) -> Layer:
    return Layer(part, **vars(block))


def _tower(spec: ModelSpec) -> Iterator[Layer]:
    if isinstance(spec.tower, StackSpec):
        blocks = block_costs(spec.tower.blocks, SEQUENCE_CHANNELS, spec.window_bp)
        yield from (_of_stack("tower", block) for block in blocks)
        return
    channels, positions = SEQUENCE_CHANNELS, spec.window_bp
    for filters, width, pool in zip(spec.tower.filters, spec.tower.widths, spec.tower.pools, strict=True):
        name = f"conv {width}" + (f", pool {pool}" if pool > 1 else "")
        yield _block("tower", name, channels, filters, width, positions, pool=pool)
        channels, positions = filters, positions // pool


def _context_layer(spec: DilatedSpec | PoolingSpec | AttentionSpec, channels: int, bins: int) -> Iterator[Layer]:
    if isinstance(spec, DilatedSpec):
        for i in range(spec.layers):
            block = _block("context", "", channels + i * spec.filters, spec.filters, spec.width, bins)
            name = f"conv {spec.width}, dilation {2 ** (i + 1)}, dense"
            out = channels + (i + 1) * spec.filters
            yield Layer("context", name, out, bins, block.parameters, block.macs)
        return
    distance = spec.heads * _PARAMETERS_PER_HEAD[spec.distance.kind]
    mixing = spec.heads * bins * bins * channels  # sum over t of weight times h_t
    out, name = spec.channels_out(channels), f"{spec.heads} heads, {_DISTANCE_NAMES[spec.distance.kind]}"
    if isinstance(spec, PoolingSpec):
        yield Layer("context", f"pooling, {name}", out, bins, distance, mixing, spec.heads * bins * bins)
        return
    query = spec.heads * channels * channels
    yield Layer(
        "context",
        f"attention, {name}",
        out,
        bins,
        query + spec.heads * channels + distance,
        query * bins + 2 * mixing,  # scores cost what the mixing costs
        spec.heads * bins * bins,
    )


def _block(part: str, name: str, channels: int, filters: int, width: int, positions: int, *, pool: int = 1) -> Layer:
    weights = channels * filters * width
    return Layer(part, name, filters, positions // pool, weights + 2 * filters, weights * positions)
