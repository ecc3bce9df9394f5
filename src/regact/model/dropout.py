"""Dropout whose random numbers do not cost more than the convolutions."""

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

_LEVELS = 2**16


class Dropout(nn.Module):
    """Each value is zero with probability `rate` while training, else scaled so that its expectation stays.

    On the CPU, torch draws a number per value one by one, a sixth of a training step of a small tower. Here 64 random
    bits serve four values; `rate` is then exact to 1/65,536, and the scale belongs to the rate in force.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """`x` with values dropped; `x` itself in inference mode."""
        if not self.training or self.rate == 0:
            return x
        if x.device.type != "cpu":
            return functional.dropout(x, self.rate)
        dropped = round(self.rate * _LEVELS)
        kept = _draw_kept(x, dropped - _LEVELS // 2)
        return _ScaleKept.apply(x, kept, _LEVELS / (_LEVELS - dropped))

    def extra_repr(self) -> str:
        """The rate, for printing the model."""
        return f"{self.rate}"


class _ScaleKept(torch.autograd.Function):
    """x * kept * scale in one pass each way, remembering nothing but the one-byte mask."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, kept: Bool[Tensor, "*shape"], scale: float) -> Tensor:
        ctx.save_for_backward(kept)
        ctx.scale = scale
        return torch.ops.aten.native_dropout_backward(x, kept, scale)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (kept,) = ctx.saved_tensors
        return torch.ops.aten.native_dropout_backward(gradients[0], kept, ctx.scale), None, None


# An operation of its own: torch.compile calls it as it is, where it would lose the type of the numbers' view.
@torch.library.custom_op("regact::draw_kept", mutates_args=(), schema="(Tensor x, int least) -> Tensor")
def _draw_kept(x: Tensor, least: int) -> Tensor:
    """Whether uniform int16 numbers from torch's generator reach `least`, in the shape and memory order of `x`."""
    words = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
    strides = torch.empty_like(x, device="meta").stride()  # those of `x`, made dense
    return words.view(torch.int16)[: x.numel()].as_strided(x.shape, strides) >= least


@_draw_kept.register_fake
def _(x: Tensor, least: int) -> Tensor:
    return torch.empty_like(x, dtype=torch.bool)
