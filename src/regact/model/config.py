"""The `model:` part of an experiment: a preset of the paper and what differs from it."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt

from regact.model.base_spec import Rate
from regact.model.link import LinkName
from regact.model.spec import BlockSpec, DistanceName, DistancePlace


class ModelConfig(BaseModel):
    """A preset and its overrides; what is left out is the preset's. `presets.model_spec` makes the full spec of it.

    `width` multiplies the number of filters of tower, dilated layers and head block, each rounded to the nearest whole
    number (at least 1); numbers given outright (`filters`, `dilated_filters`, `head_filters`) are taken as they are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: str = "attention_two_sided"
    run: Path | None = Field(default=None, description="instead of a preset: the network of this run, its tracks new")
    width: PositiveFloat = 1.0
    filters: tuple[PositiveInt, ...] | None = Field(default=None, description="filters of each tower block")
    widths: tuple[PositiveInt, ...] | None = Field(default=None, description="kernel width of each tower block")
    pools: tuple[PositiveInt, ...] | None = Field(
        default=None, description="max-pool of each tower block; product = bin_bp"
    )
    dropout: Rate = Field(default=0.05, description="of tower and head")
    dilated_layers: PositiveInt | None = Field(default=None, description="dilated presets: number of layers")
    dilated_filters: PositiveInt | None = Field(default=None, description="dilated presets: filters of each layer")
    dilated_dropout: Rate = Field(default=0.1, description="dilated presets")
    layers: PositiveInt | None = Field(default=None, description="attention presets: number of layers")
    heads: PositiveInt | tuple[PositiveInt, ...] | None = Field(
        default=None, description="attention and exp presets: heads of every layer, or a list with one number per layer"
    )
    distance: DistanceName | None = Field(default=None, description="attention and exp presets: distance function")
    alphas: tuple[PositiveFloat, ...] | None = Field(
        default=None, description="decay per bin of each head: fixed (constant) or where it starts (variable)"
    )
    alpha_scale: PositiveFloat = Field(
        default=1.0, description="multiplies the decays that heads have (constant) or start from (variable, two_sided)"
    )
    distance_place: DistancePlace = Field(default="before_softmax", description="attention presets: where f multiplies")
    renormalise: bool = Field(default=False, description="after_softmax only: divide the weights by their sum")
    head_filters: PositiveInt | None = Field(default=None, description="filters of the head's block")
    link: LinkName = "exp"
    n_value: float = Field(default=0.0, ge=0, le=1, description="of an N in each channel; 0.25 in Basenji of 2018")
    block: BlockSpec = Field(default=BlockSpec(), description="order within convolution blocks, batch norm's epsilon")
    seed: int = Field(default=0, description="draws where the heads of a two-sided distance function start")
