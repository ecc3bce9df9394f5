"""What a checkpoint does not say of a Basenji network of 2018, in the words of its `params.txt`.

The file holds a name and a value on each line; a name that stands there several times is a list, one value a layer:

    batch_buffer  4096
    link          exp_linear
    cnn_pool      1
    cnn_pool      2
"""

from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError

from regact.errors import ConfigError, FormatError
from regact.model.link import LinkName

LINKS: dict[str, LinkName] = {"exp_linear": "elu1", "exp": "exp", "softplus": "softplus"}
_WINDOW_BP = 131_072
_POOLS = (1, 2, 4, 4, 4, 1)  # of the published network's tower
_TOWER_DROPOUT, _DILATED_DROPOUT = 0.05, 0.1


def _as_list(value: Any) -> Any:
    return value if value is None or isinstance(value, list | tuple) else [value]


PerLayer = BeforeValidator(_as_list)


class BasenjiParams(BaseModel):
    """The lines of a `params.txt` that decide what the weights compute; all others are about training and left alone.

    Without a file these are the published values. A list that is too short goes on with Basenji's own default for the
    remaining layers, and one value alone holds for all, as in Basenji itself.

    Attributes:
        seq_length, batch_length: Bases of a window, under the two names that it had.
        batch_buffer: Bases that are cropped at each end.
        link: From the last layer's output to the rate.
        target_pool: Bases of a bin, held against the pools.
        num_targets, cnn_filters, cnn_filter_sizes: Held against the checkpoint.
        cnn_pool: Max-pool of each layer.
        cnn_dilation: Dilation of each layer.
        cnn_dropout: Matters where training goes on from these weights.
        cnn_strides, cnn_stride, cnn_skip, batch_norm, nonlinearity, target_classes: What this project's network has.
        block_order: Ours, not Basenji's: the order within a block where the head's name tells the wrong one.
        batch_norm_epsilon: Ours too: TensorFlow's default is 0.001, and Basenji had no name for it.
        n_value: Ours too: what an N is in each channel.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    seq_length: PositiveInt | None = None
    batch_length: PositiveInt | None = None
    batch_buffer: int = Field(default=4096, ge=0)
    link: Literal["exp_linear", "exp", "softplus"] = "exp_linear"
    target_pool: PositiveInt | None = None
    num_targets: PositiveInt | None = None
    cnn_filters: Annotated[tuple[PositiveInt, ...] | None, PerLayer] = None
    cnn_filter_sizes: Annotated[tuple[PositiveInt, ...] | None, PerLayer] = None
    cnn_pool: Annotated[tuple[PositiveInt, ...] | None, PerLayer] = None
    cnn_dilation: Annotated[tuple[PositiveInt, ...] | None, PerLayer] = None
    cnn_dropout: Annotated[tuple[Annotated[float, Field(ge=0, lt=1)], ...] | None, PerLayer] = None
    cnn_strides: Annotated[tuple[Literal[1], ...], PerLayer] = ()
    cnn_stride: Annotated[tuple[Literal[1], ...], PerLayer] = ()
    cnn_skip: Annotated[tuple[Literal[0], ...], PerLayer] = ()
    batch_norm: Literal[1] = 1
    nonlinearity: Literal["relu"] = "relu"
    target_classes: Literal[1] = 1
    block_order: Literal["conv_first", "relu_first"] | None = None
    batch_norm_epsilon: PositiveFloat = 1e-3
    n_value: float = Field(default=0.25, ge=0, le=1)

    @property
    def window_bp(self) -> int:
        """Bases of a window."""
        return self.seq_length or self.batch_length or _WINDOW_BP

    def pools(self, tower_layers: int, layers: int) -> tuple[int, ...] | None:
        """Max-pool of each of `layers` layers, None where neither a file nor the published network says it."""
        if self.cnn_pool is not None:
            return extend(self.cnn_pool, 1, layers)
        published = tower_layers == len(_POOLS)
        return extend((*_POOLS, 1), 1, layers) if published else None

    def dropouts(self, tower_layers: int, dilated_layers: int) -> tuple[float, float]:
        """Dropout of the tower (and head), and of the dilated layers: those of their first layers."""
        if self.cnn_dropout is None:
            return _TOWER_DROPOUT, _DILATED_DROPOUT
        each = extend(self.cnn_dropout, 0.0, tower_layers + dilated_layers + 1)
        return each[0], each[tower_layers]


def extend(values: tuple[Any, ...], default: Any, layers: int) -> tuple[Any, ...]:
    """One value a layer: a single value is that of every layer, others are followed by `default`."""
    fill = values[0] if len(values) == 1 else default
    return (*values, *[fill] * (layers - len(values)))[:layers]


def read_params_txt(path: str | Path | None) -> BasenjiParams:
    """The parameters of a `params.txt`, the published ones without.

    Raises: FormatError where it cannot be read; ConfigError with every line that is wrong.
    """
    if path is None:
        return BasenjiParams()
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(path, f"cannot be read ({error})", "a params.txt of Basenji") from error
    fields: dict[str, list[int | float | str]] = {}
    problems = []
    for number, words in ((n, line.split()) for n, line in enumerate(lines, start=1)):
        if words and len(words) != 2:
            problems.append(f"line {number} has {len(words)} words; needed a name and a value")
        elif words:
            fields.setdefault(words[0], []).append(_number_or_text(words[1]))
    problems += [problem for name in fields if (problem := _slip(name, fields))]
    values = {name: found if len(found) > 1 else found[0] for name, found in fields.items()}
    try:
        params = BasenjiParams.model_validate(values)
    except ValidationError as error:
        problems += [f"{'.'.join(map(str, e['loc']))}: {e['msg']} (found {e['input']!r})" for e in error.errors()]
    if problems:
        raise ConfigError(path, problems)
    return params


def _number_or_text(word: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word


def _slip(name: str, fields: Collection[str]) -> str | None:
    """That a name is so near to one that decides something that it must be a slip; None where it is not."""
    near = get_close_matches(name, BasenjiParams.model_fields, n=1, cutoff=0.85)
    if name in BasenjiParams.model_fields or not near or near[0] in fields:
        return None
    return f"unknown name {name!r}; did you mean {near[0]!r}?"
