"""From the blocks of `params.json` to a model's tower, context and head.

The tower is everything up to the last pool, the head everything behind `Cropping1D` (without one: the last blocks that
take each position for itself), the context what stands between. What a U-Net reads again is kept in the tower.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from regact.model import ModelSpec
from regact.model.link import LinkName
from regact.model.stack import (
    ActivationName,
    LayerSpec,
    MaxPoolSpec,
    StackBlockSpec,
    StackHeadSpec,
    StackSpec,
    UNetSpec,
)
from regact.model.stack.cost import field
from regact.model.stack.layer_spec import pool_of
from regact.model.stack.spec import SEQUENCE_CHANNELS
from regact.pretrained.keras_blocks import GROW
from regact.pretrained.keras_file import KerasLayer
from regact.pretrained.keras_line import Line, Match, Matching
from regact.pretrained.keras_params import CropParams, FinalParams, KerasParams, UNetParams

_LINKS: dict[str | None, LinkName] = {"softplus": "softplus", "exponential": "exp"}


class NetworkError(ValueError):
    """Blocks that do not fit each other, or that cannot be told apart into tower, context and head."""


@dataclass(frozen=True)
class Network:
    """A network, and which layer of the file each of its layers with weights is, in the order of the spec.

    Attributes:
        spec: The network.
        matches: Its layers with weights.
        left_over: Layers of the file that none of them is.
        complete: Whether the file has exactly the layers of trunk and heads, whatever their shapes.
    """

    spec: ModelSpec
    matches: tuple[Match, ...]
    left_over: tuple[KerasLayer, ...]
    complete: bool

    def leaves(self) -> Iterator[LayerSpec]:
        """Every layer, those within branches too."""
        for part in (self.spec.tower, *self.spec.context, self.spec.head):
            if isinstance(part, StackSpec | StackHeadSpec):
                yield from part.leaves()


@dataclass(frozen=True)
class _Piece:
    """Layers of one repetition of a block, and how many positions come out; `cropped` is behind `Cropping1D`."""

    name: str
    layers: tuple[LayerSpec, ...]
    positions: int
    cropped: bool
    kept: bool = False


class _Trunk:
    """The trunk as it grows, block by block."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.pieces: list[_Piece] = []
        self.crop: int | None = None
        self._saved: list[int] = []  # pieces whose output a U-Net may read, in the order in which they were saved

    def add(self, block: Any) -> None:
        """Grow by a block."""
        if isinstance(block, CropParams):
            self._set_crop(block)
            return
        if isinstance(block, UNetParams):
            self._join(block)
        grown = None if isinstance(block, UNetParams) else GROW[block.name](self.line, block)
        for end in grown or ():
            self._cut(f"{block.name} {end.name}")
            if end.saved:
                self._saved.append(len(self.pieces) - 1)
        self._cut(block.name)
        self._saved.append(len(self.pieces) - 1)

    def finished(self) -> list[_Piece]:
        """The pieces; a pool by itself is part of what it pools, unless that is kept as it is before the pool."""
        rank = {index: i for i, index in enumerate(i for i, piece in enumerate(self.pieces) if piece.kept)}
        pieces: list[_Piece] = []
        for piece in self.pieces:
            layers = tuple(
                layer.model_copy(update={"skip": rank[layer.skip]}) if isinstance(layer, UNetSpec) else layer
                for layer in piece.layers
            )
            if pieces and not pieces[-1].kept and all(isinstance(layer, MaxPoolSpec) for layer in layers):
                pieces[-1] = replace(pieces[-1], layers=pieces[-1].layers + layers, positions=piece.positions)
            else:
                pieces.append(replace(piece, layers=layers))
        return pieces

    def _cut(self, name: str) -> None:
        if layers := self.line.cut():
            self.pieces.append(_Piece(name, layers, self.line.positions, self.crop is not None))

    def _set_crop(self, block: CropParams) -> None:
        ends = block.cropping if isinstance(block.cropping, tuple) else (block.cropping, block.cropping)
        if ends[0] != ends[1]:
            raise NetworkError(f"{ends[0]} positions cropped on the left and {ends[1]} on the right; needed as many")
        if self.crop is not None:
            raise NetworkError("a second Cropping1D; needed one at most")
        self.crop = ends[0]

    def _join(self, block: UNetParams) -> None:
        wanted = self.line.positions * block.stride
        # The newest of the right length, as baskerville searches; never the trunk's present end itself.
        found = next((i for i in reversed(self._saved[:-1]) if self.pieces[i].positions == wanted), None)
        if found is None:
            raise NetworkError(f"no block before it gives {wanted:,} positions, twice what comes in")
        self.pieces[found] = replace(self.pieces[found], kept=True)
        main, side = self.line.branch(), self.line.branch(_channels_behind(self.pieces[: found + 1]))
        for branch, dense in ((main, block.upsample_conv or block.name == "fpn_unet"), (side, True)):
            branch.norm(block.norm, block.bn_momentum)
            branch.activation(block.activation)
            if dense:
                branch.dense(self.line.channels)
        self.line.unet(main, side, skip=found, factor=block.stride)
        self.line.conv(self.line.channels, block.kernel_size, separable=True)
        self.line.dropout(block.dropout)


def make_network(
    params: KerasParams,
    head: str,
    layers: Sequence[KerasLayer],
    gelu: ActivationName | None,
    *,
    preset: str,
    window_bp: int | None = None,
    all_heads: bool = False,
) -> Network:
    """The network of the trunk and of one head; layers are matched with the file's in their order.

    With `all_heads` these are those of every head, each of one layer, not of this one alone.

    Raises: NetworkError, saying which block is the matter.
    """
    matching = Matching(layers)
    trunk = _Trunk(Line(matching, SEQUENCE_CHANNELS, gelu, positions=params.seq_length))
    for i, block in enumerate(params.trunk):
        _at(matching, f"trunk[{i}] {block.name}", trunk.add, block)
    pieces = trunk.finished()
    tower_end, head_start = _borders(pieces, cropped=trunk.crop is not None)
    _at(matching, "activation", trunk.line.activation, params.activation)
    before = (*_layers(pieces[head_start:]), *trunk.line.cut())
    matches = list(matching.matches)
    for name in params.heads if all_heads else [head]:
        line, taken = trunk.line.branch(), len(matching.matches)
        link = _grow_head(matching, line, params.heads[name], name)
        if name == head:
            matches += matching.matches[taken:]
            head_spec = StackHeadSpec(layers=(*before, *line.cut()[:-1]), link=link)
    if field(head_spec.layers, 1) != (0, 0, 1):
        raise NetworkError(
            f"{head}: positions see each other behind Cropping1D; needed blocks that take each by itself"
        )
    context = pieces[tower_end:head_start]
    try:
        spec = ModelSpec(
            preset=preset,
            tracks=params.heads[head][-1].units,
            window_bp=window_bp or params.seq_length,
            crop_bins=trunk.crop or 0,
            tower=_stack(pieces[:tower_end]),
            context=(_stack(context),) if context else (),
            head=head_spec,
        )
    except ValidationError as error:
        raise NetworkError("; ".join(e["msg"].removeprefix("Value error, ") for e in error.errors())) from error
    left_over = tuple(matching.left_over())
    complete = not left_over and all(match.layer for match in matching.matches)
    return Network(spec, tuple(matches), left_over, complete)


def _grow_head(matching: Matching, line: Line, blocks: Sequence[Any], name: str) -> LinkName:
    """Grow a head, whose last layer is the affine map to the tracks; return its link."""
    *first, last = blocks
    for i, block in enumerate(first):
        _at(matching, f"{name}[{i}] {block.name}", _grow, line, block)
    _at(matching, f"{name}[{len(first)}] {last.name}", _affine, line, last)
    return _LINKS[last.activation]


def _at(matching: Matching, where: str, grow: Any, *arguments: Any) -> None:
    """Call `grow`; layers that it takes from the file, and what is wrong, belong to the block at `where`."""
    matching.where = where
    try:
        grow(*arguments)
    except ValueError as error:
        raise NetworkError(f"{where}: {error}") from error


def _grow(line: Line, block: Any) -> None:
    if block.name not in GROW:
        raise NetworkError("not in a head; needed blocks that take each position by itself")
    for _ in GROW[block.name](line, block) or ():
        pass


def _affine(line: Line, last: Any) -> None:
    if not isinstance(last, FinalParams):
        raise NetworkError("the last block of a head is no dense layer; needed final or dense")
    if last.activation not in _LINKS:
        raise NetworkError(
            f"activation {last.activation} of the last layer; needed one of {', '.join(map(str, _LINKS))}"
        )
    line.dense(last.units)


def _borders(pieces: Sequence[_Piece], *, cropped: bool) -> tuple[int, int]:
    """The first piece of the context and the first of the head."""
    pooling = [i for i, piece in enumerate(pieces) if pool_of(piece.layers) > 1]
    tower_end = max(pooling, default=0) + 1
    if cropped:
        head_start = next((i for i, piece in enumerate(pieces) if piece.cropped), len(pieces))
        if head_start < tower_end:
            raise NetworkError("trunk: Cropping1D stands before the last pool; needed it behind")
        return tower_end, head_start
    head_start = len(pieces)
    while head_start > tower_end and field(pieces[head_start - 1].layers, 1) == (0, 0, 1):
        head_start -= 1
    return tower_end, head_start


def _layers(pieces: Sequence[_Piece]) -> tuple[LayerSpec, ...]:
    return tuple(layer for piece in pieces for layer in piece.layers)


def _stack(pieces: Sequence[_Piece]) -> StackSpec:
    blocks = [StackBlockSpec(name=piece.name, layers=piece.layers, keep=piece.kept) for piece in pieces]
    return StackSpec(blocks=tuple(blocks))


def _channels_behind(pieces: Sequence[_Piece]) -> int:
    channels = SEQUENCE_CHANNELS
    for layer in _layers(pieces):
        channels = layer.channels_out(channels)
    return channels
