"""Layers as plain numbers: sizes, and what follows from them (channels out, cost, how far a position sees)."""

from collections.abc import Sequence
from math import prod
from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from regact.model.base_spec import Rate, Spec

ActivationName = Literal["relu", "gelu_sigmoid", "gelu_tanh", "gelu_erf", "sigmoid", "tanh", "softplus"]


class LayerBase(Spec):
    """A layer; unless it says otherwise, as many channels and positions come out as go in, and nothing is learned."""

    def channels_out(self, channels: int) -> int:
        """Channels behind this layer when `channels` go in. Raises: ValueError where these cannot go in."""
        return channels

    def parameters(self, channels: int) -> int:
        """What training changes, when `channels` go in."""
        return 0

    def macs(self, channels: int, positions: int) -> int:
        """Multiply-accumulates of convolutions and matrix products, forward."""
        return 0

    def attention_weights(self, positions: int) -> int:
        """Weights of attention: one for each head and pair of positions."""
        return 0

    @property
    def pool(self) -> int:
        """By how much it shortens its input."""
        return 1

    @property
    def upsample(self) -> int:
        """By how much it lengthens its input."""
        return 1

    @property
    def reach(self) -> tuple[int, int] | None:
        """Positions of its input that it sees to the left and right of one; None for all of them."""
        return 0, 0

    @property
    def branches(self) -> tuple["LayerSpec", ...]:
        """Layers within it through which its input goes."""
        return ()

    @property
    def words(self) -> str:
        """What a block's description says of it; mostly nothing."""
        return ""


class ActivationSpec(LayerBase):
    """A function of each value; of GELU there are three forms (activation.py)."""

    kind: Literal["activation"] = "activation"
    name: ActivationName


class _ConvolutionSpec(LayerBase):
    filters: PositiveInt
    width: PositiveInt = 1
    dilation: PositiveInt = 1
    bias: bool = True

    def channels_out(self, channels: int) -> int:
        """The filters."""
        return self.filters

    @property
    def reach(self) -> tuple[int, int]:
        """Half the span; of an odd one the larger half is on the right."""
        span = self.dilation * (self.width - 1)
        return span // 2, span - span // 2

    @property
    def words(self) -> str:
        """Width and dilation."""
        return f"conv {self.width}" + (f", dilation {self.dilation}" if self.dilation > 1 else "")


class ConvSpec(_ConvolutionSpec):
    """A convolution; as long as its input, zeros beyond both ends."""

    kind: Literal["conv"] = "conv"

    def parameters(self, channels: int) -> int:
        """Kernel and bias."""
        return channels * self.width * self.filters + self.bias * self.filters

    def macs(self, channels: int, positions: int) -> int:
        """The kernel at each position."""
        return channels * self.width * self.filters * positions


class SeparableConvSpec(_ConvolutionSpec):
    """A convolution of each channel by itself, then one of width 1 (which has the bias)."""

    kind: Literal["separable_conv"] = "separable_conv"

    def parameters(self, channels: int) -> int:
        """Both kernels and the bias."""
        return channels * (self.width + self.filters) + self.bias * self.filters

    def macs(self, channels: int, positions: int) -> int:
        """Both kernels at each position."""
        return channels * (self.width + self.filters) * positions

    @property
    def words(self) -> str:
        """As of a convolution."""
        return f"separable {super().words}"


class DenseSpec(LayerBase):
    """An affine map of the channels at each position."""

    kind: Literal["dense"] = "dense"
    units: PositiveInt
    bias: bool = True

    def channels_out(self, channels: int) -> int:
        """The units."""
        return self.units

    def parameters(self, channels: int) -> int:
        """Matrix and bias."""
        return (channels + self.bias) * self.units

    def macs(self, channels: int, positions: int) -> int:
        """The matrix at each position."""
        return channels * self.units * positions

    @property
    def words(self) -> str:
        """Its name."""
        return "dense"


class BatchNormSpec(LayerBase):
    """Batch norm over batch and positions; `momentum` is the weight of the new batch (1 less TensorFlow's)."""

    kind: Literal["batch_norm"] = "batch_norm"
    epsilon: PositiveFloat = 1e-3
    momentum: Annotated[float, Field(gt=0, le=1)] = 0.1

    def parameters(self, channels: int) -> int:
        """Weight and bias."""
        return 2 * channels


class LayerNormSpec(LayerBase):
    """Norm over the channels of each position."""

    kind: Literal["layer_norm"] = "layer_norm"
    epsilon: PositiveFloat = 1e-3

    def parameters(self, channels: int) -> int:
        """Weight and bias."""
        return 2 * channels


class ScaleSpec(LayerBase):
    """Each channel times a learned number."""

    kind: Literal["scale"] = "scale"

    def parameters(self, channels: int) -> int:
        """One a channel."""
        return channels


class DropoutSpec(LayerBase):
    """Dropout while training."""

    kind: Literal["dropout"] = "dropout"
    rate: Rate


class MaxPoolSpec(LayerBase):
    """Maximum of `size` positions each; what is missing at odd lengths is missing at both ends."""

    kind: Literal["max_pool"] = "max_pool"
    size: PositiveInt

    @property
    def pool(self) -> int:
        """The size."""
        return self.size

    @property
    def words(self) -> str:
        """The size."""
        return f"pool {self.size}"


class RelativeAttentionSpec(LayerBase):
    """Attention whose scores depend on content and on relative position (relative_attention.py).

    `position_features` functions of the signed distance, 0 for none; their widths grow up to `feature_bins`, or to
    the length of the input where that is None.
    """

    kind: Literal["relative_attention"] = "relative_attention"
    heads: PositiveInt
    key_size: PositiveInt
    value_size: PositiveInt
    position_features: NonNegativeInt
    content_position_bias: bool = True
    feature_bins: PositiveInt | None = None
    dropout: Rate = 0.0
    position_dropout: Rate = 0.0

    @model_validator(mode="after")
    def _pairs_of_features(self) -> Self:
        if self.position_features % 2:
            raise ValueError(f"position_features {self.position_features} is odd; needed pairs (with and without sign)")
        return self

    def channels_out(self, channels: int) -> int:
        """All heads' values."""
        return self.heads * self.value_size

    def parameters(self, channels: int) -> int:
        """Projections of content and of positions, biases, the map that joins the heads."""
        keys, values = self.heads * self.key_size, self.heads * self.value_size
        position = (self.position_features + 1) * keys if self.position_features else 0
        return channels * (2 * keys + values) + keys + position + (values + 1) * values

    def macs(self, channels: int, positions: int) -> int:
        """Projections, scores of content and of all offsets, weighted sums."""
        keys, values, offsets = self.heads * self.key_size, self.heads * self.value_size, 2 * positions - 1
        projections = positions * (channels * (2 * keys + values) + values * values)
        queries = positions if self.content_position_bias else 1
        position = offsets * keys * (self.position_features + queries) if self.position_features else 0
        return projections + positions * positions * (keys + values) + position

    def attention_weights(self, positions: int) -> int:
        """Of content and place together."""
        return self.heads * positions * positions

    @property
    def reach(self) -> None:
        """Everything."""
        return None

    @property
    def words(self) -> str:
        """The heads."""
        return f"attention, {self.heads} heads"


class _BranchSpec(LayerBase):
    layers: tuple["LayerSpec", ...] = Field(min_length=1)

    @property
    def branches(self) -> tuple["LayerSpec", ...]:
        """Its layers."""
        return self.layers

    @property
    def words(self) -> str:
        """Those of its layers."""
        return in_words(self.layers)


class ResidualSpec(_BranchSpec):
    """The input plus what `layers` make of it."""

    kind: Literal["residual"] = "residual"

    def channels_out(self, channels: int) -> int:
        """As many."""
        if (behind := channels_behind(self.layers, channels)) != channels:
            raise ValueError(f"{behind} channels cannot be added to {channels}")
        return channels


class ConcatenateSpec(_BranchSpec):
    """The input, and behind it what `layers` make of it."""

    kind: Literal["concatenate"] = "concatenate"

    def channels_out(self, channels: int) -> int:
        """Both."""
        return channels + channels_behind(self.layers, channels)


class UNetSpec(LayerBase):
    """Back to a finer resolution: `main` of the input, each position `factor` times, plus `side` of what was kept.

    `skip` counts the tower's blocks that `keep` from 0. Both branches end in as many channels.
    """

    kind: Literal["unet"] = "unet"
    skip: NonNegativeInt
    factor: PositiveInt = 2
    main: tuple["LayerSpec", ...] = ()
    side: tuple["LayerSpec", ...] = ()

    def channels_out(self, channels: int) -> int:
        """Those of the main branch."""
        return channels_behind(self.main, channels)

    @property
    def upsample(self) -> int:
        """The factor."""
        return self.factor

    @property
    def branches(self) -> tuple["LayerSpec", ...]:
        """The main one."""
        return self.main

    @property
    def words(self) -> str:
        """The factor."""
        return f"{self.factor} times finer"


LayerSpec = Annotated[
    ActivationSpec
    | ConvSpec
    | SeparableConvSpec
    | DenseSpec
    | BatchNormSpec
    | LayerNormSpec
    | ScaleSpec
    | DropoutSpec
    | MaxPoolSpec
    | RelativeAttentionSpec
    | ResidualSpec
    | ConcatenateSpec
    | UNetSpec,
    Field(discriminator="kind"),
]


def channels_behind(layers: Sequence[LayerSpec], channels: int) -> int:
    """Channels behind `layers` when `channels` go in. Raises: ValueError where layers do not fit each other."""
    for layer in layers:
        channels = layer.channels_out(channels)
    return channels


def pool_of(layers: Sequence[LayerSpec]) -> int:
    """Positions that go into `layers` for one that comes out."""
    return prod(layer.pool for layer in layers)


def in_words(layers: Sequence[LayerSpec]) -> str:
    """The layers that say most about a block, each kind once: convolutions, attention, pools."""
    return ", ".join(dict.fromkeys(layer.words for layer in layers if layer.words))
