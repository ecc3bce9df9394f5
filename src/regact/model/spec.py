"""What a network is made of, as plain numbers: enough to build it, count it, draw it and save it."""

from math import prod
from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from regact.model.base_spec import Rate, Spec
from regact.model.link import LinkName
from regact.model.stack.spec import SEQUENCE_CHANNELS, StackHeadSpec, StackSpec

DistanceName = Literal["none", "constant", "variable", "two_sided"]
DistancePlace = Literal["before_softmax", "after_softmax"]


class TowerSpec(Spec):
    """Convolution blocks: number of filters, kernel width and max-pool of each."""

    filters: tuple[PositiveInt, ...] = Field(min_length=1)
    widths: tuple[PositiveInt, ...]
    pools: tuple[PositiveInt, ...]
    dropout: Rate = 0.05

    @model_validator(mode="after")
    def _same_length(self) -> Self:
        lengths = len(self.filters), len(self.widths), len(self.pools)
        if len(set(lengths)) != 1:
            raise ValueError("filters, widths, pools have {}, {}, {} entries; needed as many each".format(*lengths))
        return self

    @property
    def bin_bp(self) -> int:
        """Bases per bin: the product of the pools."""
        return prod(self.pools)


class DilatedSpec(Spec):
    """Dense dilated convolutions of dilation 2, 4, ..., 2^layers."""

    kind: Literal["dilated"] = "dilated"
    layers: PositiveInt
    filters: PositiveInt = 108
    width: PositiveInt = 3
    dropout: Rate = 0.1

    @model_validator(mode="after")
    def _odd_width(self) -> Self:
        if self.width % 2 == 0:
            raise ValueError(
                f"dilated width {self.width} is even; needed an odd one, so that both sides are seen alike"
            )
        return self

    def channels_out(self, channels: int) -> int:
        """Channels behind this layer when `channels` go in."""
        return channels + self.layers * self.filters


class DistanceSpec(Spec):
    """A distance function f(j, t), with the values its heads start from (alphas are per bin).

    none: no numbers. constant, variable: `alphas`, one per head. two_sided: a peak per head at `peaks` (in half windows
    from the bin, -1 to 1) of height `heights`, and N = `half_window_bins`, half the bins of the training window.
    """

    kind: DistanceName = "none"
    alphas: tuple[PositiveFloat, ...] = ()
    peaks: tuple[Annotated[float, Field(gt=-1, lt=1)], ...] = ()
    heights: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = ()
    half_window_bins: PositiveFloat | None = None

    @property
    def starts(self) -> set[str]:
        """The fields that training moves away from: they say where the function began, not which it is."""
        return {"peaks", "heights"} | ({"alphas"} if self.kind == "variable" else set())

    def problem(self, heads: int) -> str | None:
        """What is wrong with these numbers for `heads` heads, or None."""
        alphas = heads if self.kind in ("constant", "variable") else 0
        peaks = heads if self.kind == "two_sided" else 0
        if len(self.alphas) != alphas:
            return f"distance {self.kind} has {len(self.alphas)} alphas; needed {alphas}"
        if (len(self.peaks), len(self.heights)) != (peaks, peaks):
            return f"distance {self.kind} has {len(self.peaks)} peaks, {len(self.heights)} heights; needed {peaks} each"
        if (self.half_window_bins is not None) != (peaks > 0):
            return "half_window_bins belongs to the two_sided distance function, and to no other"
        return None


class _HeadsSpec(Spec):
    heads: PositiveInt
    distance: DistanceSpec = DistanceSpec()

    @model_validator(mode="after")
    def _one_number_per_head(self) -> Self:
        if problem := self.distance.problem(self.heads):
            raise ValueError(problem)
        return self

    def channels_out(self, channels: int) -> int:
        """Channels behind this layer when `channels` go in."""
        return channels * (1 + self.heads)


class PoolingSpec(_HeadsSpec):
    """Sums of all bins weighted by distance alone (Eq. 3)."""

    kind: Literal["pooling"] = "pooling"


class AttentionSpec(_HeadsSpec):
    """A layer of attention heads (Eq. 4, 5)."""

    kind: Literal["attention"] = "attention"
    distance_place: DistancePlace = "before_softmax"
    renormalise: bool = False

    @model_validator(mode="after")
    def _renormalise_only_after(self) -> Self:
        if self.renormalise and self.distance_place == "before_softmax":
            raise ValueError("renormalise belongs to distance_place: after_softmax; before it, the softmax normalises")
        return self


class BlockSpec(Spec):
    """What the convolution blocks of tower, dilated context and head have in common.

    Attributes:
        order: conv_first: convolution, batch norm, ReLU, max-pool (the paper's; Basenji's until March 2018).
            relu_first: ReLU, convolution, batch norm, max-pool (Basenji's since).
        epsilon: Added to the variance in batch norm.
    """

    order: Literal["conv_first", "relu_first"] = "conv_first"
    epsilon: PositiveFloat = 1e-3

    @property
    def relu_first(self) -> bool:
        """Whether the ReLU comes before the convolution."""
        return self.order == "relu_first"


ContextSpec = Annotated[DilatedSpec | PoolingSpec | AttentionSpec | StackSpec, Field(discriminator="kind")]


class HeadSpec(Spec):
    """Width-1 block of `filters`, affine layer to the tracks, link to the rate."""

    filters: PositiveInt = 1365
    dropout: Rate = 0.05
    link: LinkName = "exp"


class ModelSpec(Spec):
    """A whole network: `SequenceModel(tower, context layers in order, head)`."""

    preset: str = ""  # the name it was made from, for tables and titles
    tracks: PositiveInt
    window_bp: PositiveInt = 131_072
    crop_bins: NonNegativeInt = 0
    n_value: Annotated[float, Field(ge=0, le=1)] = 0.0  # of an N in each of the four channels
    block: BlockSpec = BlockSpec()
    tower: TowerSpec | StackSpec
    context: tuple[ContextSpec, ...] = ()
    head: HeadSpec | StackHeadSpec = HeadSpec()

    @model_validator(mode="after")
    def _window_holds_bins(self) -> Self:
        if self.window_bp % self.tower.bin_bp:
            raise ValueError(
                f"window_bp {self.window_bp} is no multiple of {self.tower.bin_bp}, the product of the pools"
            )
        if self.bins < 1:
            raise ValueError(f"crop_bins {self.crop_bins} at either end leave no bin")
        return self

    @model_validator(mode="after")
    def _layers_fit(self) -> Self:
        channels, kept = self.tower_channels, self.kept
        if kept and not (self.context and isinstance(self.context[0], StackSpec)):
            raise ValueError("the tower keeps what no stack reads as the context's first layer")
        for number, layer in enumerate(self.context):
            if isinstance(layer, StackSpec):
                for problem in layer.misjoined(channels, () if number else kept):
                    raise ValueError(problem)
            channels = layer.channels_out(channels)
        return self

    @property
    def tower_channels(self) -> int:
        """Channels of the tower's bins; what it keeps besides is not among them."""
        if isinstance(self.tower, StackSpec):
            return self.tower.channels_out(SEQUENCE_CHANNELS)
        return self.tower.filters[-1]

    @property
    def kept(self) -> tuple[tuple[int, int], ...]:
        """What the tower keeps for a U-Net: channels and positions per bin of each."""
        return self.tower.kept() if isinstance(self.tower, StackSpec) else ()

    @property
    def context_channels(self) -> int:
        """Channels behind the context."""
        channels = self.tower_channels
        for layer in self.context:
            channels = layer.channels_out(channels)
        return channels

    @property
    def bin_bp(self) -> int:
        """Bases per bin that comes out: the tower's, less where the context makes several of one."""
        return self.tower.bin_bp // prod(layer.upsample for layer in self.context if isinstance(layer, StackSpec))

    @property
    def bins(self) -> int:
        """Bins that come out: the window's less the crop at both ends."""
        return self.window_bp // self.bin_bp - 2 * self.crop_bins
