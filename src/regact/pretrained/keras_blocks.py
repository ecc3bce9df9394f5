"""What each block of `params.json` is made of, in the order of its layers.

| block | layers |
| --- | --- |
| conv_block | activation, convolution, norm, dropout, [residual], activation_end, pool |
| conv_nac | norm, activation, convolution, dropout, [residual], pool |
| conv_dna | convolution, norm, activation, dropout, pool; or convolution, + scale(conv_nac), dropout, pool |
| conv_tower(_nac) | `repeat` conv_blocks (conv_nacs), their filters growing by `filters_mult` or to `filters_end` |
| res_tower | `repeat` of: conv_nac, [+ scale(conv_nacs of width 1)], pool; a U-Net reads what is before the pool |
| dilated_residual(_nac) | `repeat` of: + conv of dilation 1, m, m^2, ..., conv of width 1 back to the channels |
| dilated_dense | `repeat` of: the input and, behind it, a dilated conv_block of it |
| transformer | + layer norm, attention, dropout; + layer norm, dense, dropout, ReLU, dense, dropout |
| unet_conv | norm, activation, [dense], twice as fine; plus norm, activation, dense of what was kept; separable conv |
| dense_block, dense_nac | as conv_block and conv_nac, with a dense layer |
| final, dense | dense, activation |

`+` adds to the input. What repeats itself stops at the end of each repetition, and where a U-Net may read.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from regact.pretrained.keras_line import Line
from regact.pretrained.keras_params import (
    ConvParams,
    DenseParams,
    DilatedParams,
    DnaParams,
    FinalParams,
    ResTowerParams,
    TowerParams,
    TransformerParams,
)


@dataclass(frozen=True)
class End:
    """Where a part of a block ends: its name, and whether a U-Net may read what comes out there."""

    name: str
    saved: bool = False


def _convolution(line: Line, p: ConvParams, *, bias: bool, **replaced: Any) -> None:
    sizes = {"filters": p.filters, "width": p.kernel_size, "dilation": p.dilation_rate} | replaced
    line.conv(**sizes, separable=p.conv_type == "separable", bias=bias)


def _conv_block(line: Line, p: ConvParams, *, dropout: float | None = None, **replaced: Any) -> None:
    body = line.branch() if p.residual else line
    body.activation(p.activation)
    _convolution(body, p, bias=p.norm is None, **replaced)
    body.norm(p.norm, p.bn_momentum)
    body.dropout(p.dropout if dropout is None else dropout)
    if p.residual:
        line.residual(body)
    line.activation(p.activation_end)
    line.pool(p.pool_size)


def _conv_nac(
    line: Line, p: ConvParams, *, dropout: float | None = None, pool: int | None = None, **replaced: Any
) -> None:
    body = line.branch() if p.residual else line
    body.norm(p.norm, p.bn_momentum)
    body.activation(p.activation)
    _convolution(body, p, bias=True, **replaced)
    body.dropout(p.dropout if dropout is None else dropout)
    if p.residual:
        line.residual(body)
    line.pool(p.pool_size if pool is None else pool)


def _conv_dna(line: Line, p: DnaParams) -> None:
    bias = p.norm is None and not p.residual if p.use_bias is None else p.use_bias
    _convolution(line, p, bias=bias, dilation=1)
    if p.residual:
        body, plain = line.branch(), p.model_copy(update={"residual": False})
        _conv_nac(body, plain, dropout=p.dropout_residual, pool=1, filters=None, width=1, dilation=1)
        body.scale()
        line.residual(body)
    else:
        line.norm(p.norm, p.bn_momentum)
        line.activation(p.activation)
    line.dropout(p.dropout)
    line.pool(p.pool_size)


def _conv_tower(line: Line, p: TowerParams) -> Iterator[End]:
    block = _conv_nac if p.name == "conv_tower_nac" else _conv_block
    for number, filters in enumerate(p.widths(), start=1):
        block(line, p, filters=filters)
        yield End(f"{number}", saved=True)


def _res_tower(line: Line, p: ResTowerParams) -> Iterator[End]:
    for number, filters in enumerate(p.widths(), start=1):
        _conv_nac(line, p, dropout=0.0, pool=1, filters=filters)
        if p.num_convs > 1:
            body = line.branch()
            for _ in range(1, p.num_convs):
                _conv_nac(body, p, dropout=0.0, pool=1, filters=filters, width=1)
            body.dropout(p.dropout)
            body.scale()
            line.residual(body)
        else:
            line.dropout(p.dropout)
        yield End(f"{number}", saved=True)
        line.pool(p.pool_size)
        yield End(f"{number} pool")


def _dilated_residual(line: Line, p: DilatedParams) -> Iterator[End]:
    block = _conv_nac if p.name == "dilated_residual_nac" else _conv_block
    for number, dilation in enumerate(p.dilations(), start=1):
        body = line.branch()
        block(body, p, dropout=0.0, dilation=dilation)
        back = p if p.name == "dilated_residual_nac" else p.model_copy(update={"conv_type": "standard"})
        block(body, back, filters=line.channels, width=1)
        if p.norm is None and p.name == "dilated_residual":
            body.scale()
        line.residual(body)
        yield End(f"{number}")


def _dilated_dense(line: Line, p: DilatedParams) -> Iterator[End]:
    for number, dilation in enumerate(p.dilations(), start=1):
        body = line.branch()
        _conv_block(body, p, dropout=0.0, dilation=dilation)
        line.concatenate(body)
        yield End(f"{number}")


def _transformer(line: Line, p: TransformerParams) -> None:
    if line.channels % p.heads:
        raise ValueError(f"{line.channels} channels cannot be shared among {p.heads} heads")
    value_size, channels = line.channels // p.heads, line.channels
    features = value_size // 2 * 2 if p.num_position_features is None else p.num_position_features
    body = line.branch()
    body.norm("layer", 0.0)
    body.attention(
        heads=p.heads,
        key_size=p.key_size,
        value_size=value_size,
        position_features=features,
        content_position_bias=p.content_position_bias,
        feature_bins=p.seqlen_train or line.positions,  # as it was trained, also in windows of another length
        dropout=p.attention_dropout,
        position_dropout=p.position_dropout,
    )
    body.dropout(p.dropout)
    line.residual(body)
    if not p.dense_expansion:
        return
    body = line.branch()
    body.norm("layer", 0.0)
    body.dense(int(p.dense_expansion * channels))
    body.dropout(p.dropout)
    body.activation("relu")
    body.dense(channels)
    body.dropout(p.dropout)
    line.residual(body)


def _transformer_tower(line: Line, p: TransformerParams) -> Iterator[End]:
    for number in range(1, p.repeat + 1):
        _transformer(line, p)
        yield End(f"{number}")


def _dense_block(line: Line, p: DenseParams) -> None:
    body = line.branch() if p.residual else line
    body.activation(p.activation)
    body.dense(p.units, bias=p.norm is None)
    body.norm(p.norm, p.bn_momentum)
    body.dropout(p.dropout)
    if p.residual:
        line.residual(body)
    line.activation(p.activation_end)


def _dense_nac(line: Line, p: DenseParams) -> None:
    body = line.branch() if p.residual else line
    body.norm(p.norm, p.bn_momentum)
    body.activation(p.activation)
    body.dense(p.units)
    body.dropout(p.dropout)
    if p.residual:
        line.residual(body)


def _final(line: Line, p: FinalParams) -> None:
    line.dense(p.units)
    line.activation(p.activation)


# What grows the line, by the block's name; unet_conv, which needs the tower, is in keras_network.py.
GROW: dict[str, Callable[[Line, Any], Iterator[End] | None]] = {
    "conv_block": _conv_block,
    "conv_nac": _conv_nac,
    "conv_dna": _conv_dna,
    "conv_tower": _conv_tower,
    "conv_tower_nac": _conv_tower,
    "res_tower": _res_tower,
    "dilated_residual": _dilated_residual,
    "dilated_residual_nac": _dilated_residual,
    "dilated_dense": _dilated_dense,
    "transformer": _transformer,
    "transformer_tower": _transformer_tower,
    "dense_block": _dense_block,
    "dense_nac": _dense_nac,
    "final": _final,
    "dense": _final,
    "Dense": _final,
}
