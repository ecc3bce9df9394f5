"""`params.json` of Basenji2, baskerville and Borzoi: the blocks of a network and what each of them takes.

Only what decides the network's function is kept; what belongs to training (regularisers, initialisers, augmentation)
is left alone, and everything else is an error, for an unread setting would change the function unseen.
"""

import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from math import exp, log
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt, ValidationError

from regact.errors import ConfigError, FormatError
from regact.genome import natural_order
from regact.model.base_spec import Rate

KerasActivation = Literal["relu", "gelu", "sigmoid", "tanh", "softplus", "exponential", "linear"] | None
NormType = Literal["batch", "batch-sync", "layer"] | None

_OF_TRAINING = {
    "l1_scale",
    "l2_scale",
    "mha_l2_scale",
    "kernel_initializer",
    "mha_initializer",
    "norm_gamma",
    "bn_gamma",
    "bn_type",
}
# Settings of the whole network that a block takes where it has none of its own.
_GLOBAL = ("activation", "batch_norm", "norm_type", "bn_momentum", "padding")


class _BlockParams(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str


class _NormParams(_BlockParams):
    activation: KerasActivation = "relu"
    norm_type: NormType = None
    batch_norm: bool = False  # the older name of norm_type: batch
    bn_momentum: Annotated[float, Field(gt=0, lt=1)] = 0.99
    dropout: Rate = 0.0

    @property
    def norm(self) -> NormType:
        """The norm under either name."""
        return self.norm_type or ("batch" if self.batch_norm else None)


class ConvParams(_NormParams):
    """conv_block, conv_nac: one convolution."""

    filters: PositiveInt | None = None
    kernel_size: PositiveInt = 1
    activation_end: KerasActivation = None
    stride: Literal[1] = 1
    strides: Literal[1] = 1
    dilation_rate: PositiveInt = 1
    conv_type: Literal["standard", "separable"] = "standard"
    pool_size: PositiveInt = 1
    pool_type: Literal["max"] = "max"
    residual: bool = False
    padding: Literal["same"] = "same"
    se: Literal[False] = False


class DnaParams(ConvParams):
    """conv_dna: the first convolution, straight on the bases."""

    kernel_size: PositiveInt = 15
    use_bias: bool | None = None
    dropout_residual: Rate = 0.0


class TowerParams(ConvParams):
    """conv_tower, conv_tower_nac: `repeat` convolutions, wider and wider."""

    filters: None = None
    filters_init: PositiveInt
    filters_end: PositiveInt | None = None
    filters_mult: PositiveFloat | None = None
    divisible_by: PositiveInt = 1
    repeat: PositiveInt = 1

    def widths(self) -> Iterator[int]:
        """Filters of each repetition."""
        growth, filters = self.filters_mult, float(self.filters_init)
        if growth is None:
            growth = exp(log((self.filters_end or self.filters_init) / self.filters_init) / max(1, self.repeat - 1))
        for _ in range(self.repeat):  # step by step, for a half may be rounded either way
            yield round(filters / self.divisible_by) * self.divisible_by
            filters *= growth


class ResTowerParams(TowerParams):
    """res_tower: `num_convs` of them in each repetition."""

    pool_size: PositiveInt = 2
    num_convs: PositiveInt = 2


class DilatedParams(ConvParams):
    """dilated_residual, dilated_residual_nac, dilated_dense: dilation grows with each repetition."""

    filters: PositiveInt
    kernel_size: PositiveInt = 3
    rate_mult: PositiveFloat = 2.0
    repeat: PositiveInt = 1
    round: bool = False

    def dilations(self) -> Iterator[int]:
        """Dilation of each repetition; halves are rounded to even numbers."""
        rate = 1.0
        for _ in range(self.repeat):
            yield round(rate)
            rate *= self.rate_mult
            rate = round(rate) if self.round else rate


class TransformerParams(_BlockParams):
    """transformer, transformer_tower. Within it the activation is ReLU, whatever the network's is."""

    key_size: PositiveInt
    heads: PositiveInt = 1
    dense_expansion: Annotated[float, Field(ge=0)] = 2.0
    content_position_bias: bool = True
    dropout: Rate = 0.25
    attention_dropout: Rate = 0.05
    position_dropout: Rate = 0.01
    num_position_features: NonNegativeInt | None = None
    seqlen_train: PositiveInt | None = None
    qkv_width: Literal[1] = 1
    out_size: None = None
    block_type: Literal["transformer"] = "transformer"
    activation: KerasActivation = None  # taken and not used, as in baskerville
    repeat: PositiveInt = 2


class UNetParams(_NormParams):
    """unet_conv, fpn_unet: back to twice the resolution with what a tower had there."""

    stride: Literal[2] = 2
    kernel_size: PositiveInt = 1
    upsample_conv: bool = False


class DenseParams(_NormParams):
    """dense_block, dense_nac."""

    units: PositiveInt | None = None
    activation_end: KerasActivation = None
    flatten: Literal[False] = False
    residual: bool = False


class FinalParams(_BlockParams):
    """final, dense, Dense: an affine map, then its activation."""

    units: PositiveInt
    activation: KerasActivation = "linear"
    flatten: Literal[False] = False


class CropParams(_BlockParams):
    """Cropping1D: positions dropped at each end."""

    cropping: NonNegativeInt | tuple[NonNegativeInt, NonNegativeInt]


BLOCKS: dict[str, type[_BlockParams]] = {
    "conv_block": ConvParams,
    "conv_nac": ConvParams,
    "conv_dna": DnaParams,
    "conv_tower": TowerParams,
    "conv_tower_nac": TowerParams,
    "res_tower": ResTowerParams,
    "dilated_residual": DilatedParams,
    "dilated_residual_nac": DilatedParams,
    "dilated_dense": DilatedParams,
    "transformer": TransformerParams,
    "transformer_tower": TransformerParams,
    "unet_conv": UNetParams,
    "fpn_unet": UNetParams,
    "Cropping1D": CropParams,
    "dense_block": DenseParams,
    "dense_nac": DenseParams,
    "final": FinalParams,
    "dense": FinalParams,
    "Dense": FinalParams,
}


class KerasParams(BaseModel):
    """The `model` of a `params.json`: trunk, heads by name, the activation behind the trunk."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    seq_length: PositiveInt
    activation: KerasActivation = None
    trunk: tuple[Any, ...]
    heads: dict[str, tuple[Any, ...]]


def read_params_json(path: str | Path) -> KerasParams:
    """The network of a `params.json`.

    Raises: FormatError where it cannot be read; ConfigError with every block and setting that is wrong or unknown.
    """
    path = Path(path)
    try:
        model = json.loads(path.read_text(encoding="utf-8"))["model"]
        trunk, length = model["trunk"], model["seq_length"]
    except (OSError, ValueError) as error:
        raise FormatError(
            path, f"cannot be read ({error})", "a params.json of Basenji2, baskerville or Borzoi"
        ) from error
    except (KeyError, TypeError) as error:
        raise FormatError(path, f"no entry {error}", "`model` with `trunk` and `seq_length`") from error
    problems: list[str] = []
    # The order of a file's outputs: baskerville sorts heads with the numbers in their names as numbers.
    heads = {name: _as_list(model[name]) for name in natural_order(model) if name.startswith("head")}
    if not heads:
        problems.append("model: no head (head, head_human, ...)")
    read = {
        part: tuple(_read_block(block, model, f"{part}[{i}]", problems) for i, block in enumerate(blocks))
        for part, blocks in {"trunk": _as_list(trunk), **heads}.items()
    }
    try:
        params = KerasParams(seq_length=length, activation=model.get("activation"), trunk=read.pop("trunk"), heads=read)
    except ValidationError as error:
        problems += [f"{'.'.join(map(str, e['loc']))}: {e['msg']} (found {e['input']!r})" for e in error.errors()]
    if problems:
        raise ConfigError(path, problems)
    return params


def _as_list(blocks: Any) -> list[Any]:
    return blocks if isinstance(blocks, list) else [blocks]


def _read_block(block: Any, model: Mapping[str, Any], where: str, problems: list[str]) -> _BlockParams | None:
    name = block.get("name") if isinstance(block, Mapping) else None
    if name not in BLOCKS:
        near = get_close_matches(str(name), BLOCKS, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        problems.append(f"{where}: block {name!r} is none of this project's; {hint}it has {', '.join(BLOCKS)}")
        return None
    kind = BLOCKS[name]
    settings = {key: model[key] for key in _GLOBAL if model.get(key) and key in kind.model_fields}
    settings |= {key: value for key, value in block.items() if key not in _OF_TRAINING}
    try:
        return kind.model_validate(settings)
    except ValidationError as error:
        for e in error.errors():
            key = ".".join(map(str, e["loc"]))
            problems.append(f"{where} {name}, {key}: {e['msg']} (found {e['input']!r})")
        return None
