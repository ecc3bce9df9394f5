"""A line of layers as it grows, each matched with the next layer of its class in a Keras file."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from regact.model.stack import (
    ActivationName,
    ActivationSpec,
    BatchNormSpec,
    ConcatenateSpec,
    ConvSpec,
    DenseSpec,
    DropoutSpec,
    LayerNormSpec,
    LayerSpec,
    MaxPoolSpec,
    RelativeAttentionSpec,
    ResidualSpec,
    ScaleSpec,
    SeparableConvSpec,
    UNetSpec,
)
from regact.pretrained.keras_file import KerasLayer
from regact.pretrained.keras_params import KerasActivation, NormType

# Which of Keras's classes hold the weights of each kind of layer.
CLASSES: dict[str, tuple[str, ...]] = {
    "conv": ("Conv1D",),
    "separable_conv": ("SeparableConv1D",),
    "dense": ("Dense",),
    "batch_norm": ("BatchNormalization", "SyncBatchNormalization"),
    "layer_norm": ("LayerNormalization",),
    "scale": ("Scale",),
    "relative_attention": ("MultiheadAttention",),
}


@dataclass(frozen=True)
class Match:
    """A layer with weights, the channels that go into it, and the file's layer; None where the file has no more."""

    spec: LayerSpec
    channels: int
    layer: KerasLayer | None
    where: str  # the block of params.json


class Matching:
    """Hands out the layers of a file in their order, class by class, and remembers who took them."""

    def __init__(self, layers: Sequence[KerasLayer]) -> None:
        self.matches: list[Match] = []
        self.where = ""  # the block that takes layers now
        self._waiting: dict[str, Iterator[KerasLayer]] = {}
        by_kind = defaultdict(list)
        for layer in layers:
            for kind, classes in CLASSES.items():
                if layer.class_name in classes:
                    by_kind[kind].append(layer)
        for kind in CLASSES:
            self._waiting[kind] = iter(by_kind[kind])

    def take(self, kind: str) -> KerasLayer | None:
        """The file's next layer of a kind."""
        return next(self._waiting[kind], None)

    def left_over(self) -> list[KerasLayer]:
        """What nobody took."""
        return [layer for waiting in self._waiting.values() for layer in waiting]


class Line:
    """Layers in order; each method adds one, and `channels` and `positions` become those behind it."""

    def __init__(self, matching: Matching, channels: int, gelu: ActivationName | None, *, positions: int) -> None:
        self.layers: list[LayerSpec] = []
        self.channels, self.positions = channels, positions
        self._matching, self._gelu = matching, gelu

    def branch(self, channels: int | None = None) -> "Line":
        """A line that begins where this one is now, or with other channels."""
        channels = self.channels if channels is None else channels
        return Line(self._matching, channels, self._gelu, positions=self.positions)

    def cut(self) -> tuple[LayerSpec, ...]:
        """The layers since the last cut."""
        layers, self.layers = tuple(self.layers), []
        return layers

    def activation(self, name: KerasActivation) -> None:
        """A function of each value; None and linear are none. Raises: ValueError for a GELU of unknown form."""
        if name == "gelu":
            if self._gelu is None:
                raise ValueError("the file does not say which form of GELU it has; say --gelu sigmoid, tanh or erf")
            self._add(ActivationSpec(name=self._gelu))
        elif name == "exponential":
            raise ValueError("activation exponential, which only the last layer of a head may have")
        elif name and name != "linear":
            self._add(ActivationSpec(name=name))

    def conv(
        self, filters: int | None, width: int = 1, *, dilation: int = 1, separable: bool = False, bias: bool = True
    ) -> None:
        """A convolution; None filters are as many as channels. The file tells whether it has a bias."""
        kind = SeparableConvSpec if separable else ConvSpec
        layer = self._matching.take("separable_conv" if separable else "conv")
        self._add_matched(
            kind(filters=filters or self.channels, width=width, dilation=dilation, bias=_has_bias(layer, bias)), layer
        )

    def dense(self, units: int | None, *, bias: bool = True) -> None:
        """An affine map; the file tells whether it has a bias."""
        layer = self._matching.take("dense")
        self._add_matched(DenseSpec(units=units or self.channels, bias=_has_bias(layer, bias)), layer)

    def norm(self, norm: NormType, momentum: float) -> None:
        """A norm, `momentum` in Keras's sense; None is none."""
        if norm == "layer":
            layer = self._matching.take("layer_norm")
            self._add_matched(LayerNormSpec(epsilon=_epsilon(layer)), layer)
        elif norm:
            layer = self._matching.take("batch_norm")
            self._add_matched(BatchNormSpec(momentum=1 - momentum, epsilon=_epsilon(layer)), layer)

    def scale(self) -> None:
        """A learned factor per channel."""
        self._add_matched(ScaleSpec(), self._matching.take("scale"))

    def attention(self, **sizes: Any) -> None:
        """Attention with relative positions."""
        self._add_matched(RelativeAttentionSpec(**sizes), self._matching.take("relative_attention"))

    def dropout(self, rate: float) -> None:
        """Dropout; 0 is none."""
        if rate:
            self._add(DropoutSpec(rate=rate))

    def pool(self, size: int) -> None:
        """Max-pool; 1 is none."""
        if size > 1:
            self._add(MaxPoolSpec(size=size))

    def residual(self, branch: "Line") -> None:
        """What `branch` makes of the line, added to it. Raises: ValueError where it has other channels."""
        self._add(ResidualSpec(layers=branch.cut()))

    def concatenate(self, branch: "Line") -> None:
        """The line, and behind it what `branch` makes of it."""
        self._add(ConcatenateSpec(layers=branch.cut()))

    def unet(self, main: "Line", side: "Line", *, skip: int, factor: int) -> None:
        """`main` of the line at a finer resolution, plus `side` of what was kept there."""
        self._add(UNetSpec(skip=skip, factor=factor, main=main.cut(), side=side.cut()))

    def _add_matched(self, spec: LayerSpec, layer: KerasLayer | None) -> None:
        self._matching.matches.append(Match(spec, self.channels, layer, self._matching.where))
        self._add(spec)

    def _add(self, spec: LayerSpec) -> None:
        self.channels = spec.channels_out(self.channels)
        self.positions = -(-self.positions // spec.pool) * spec.upsample
        self.layers.append(spec)


def _has_bias(layer: KerasLayer | None, otherwise: bool) -> bool:
    return otherwise if layer is None else "bias" in layer.datasets


def _epsilon(layer: KerasLayer | None) -> float:
    """What the file says; Keras's default otherwise."""
    return float(layer.config.get("epsilon", 1e-3)) if layer else 1e-3
