"""A convolution in two steps: along positions for each channel, then across channels at each position."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from regact.model.conv_block import SameConv1d


class DepthwiseConv1d(nn.Module):
    """Each channel convolved by itself, as long as its input; an even span takes its extra position on the right.

    `weight` is (channels, 1, width).
    """

    def __init__(self, channels: int, width: int, *, dilation: int = 1) -> None:
        super().__init__()
        self.dilation = dilation
        self.weight = nn.Parameter(torch.empty(channels, 1, width))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x: Float[Tensor, "batch channel position"]) -> Float[Tensor, "batch channel position"]:
        """The convolution of `x`, zeros beyond both ends."""
        span = self.dilation * (self.weight.shape[-1] - 1)
        padded = functional.pad(x, (span // 2, span - span // 2))
        return functional.conv1d(padded, self.weight, dilation=self.dilation, groups=x.shape[1])


class SeparableConv1d(nn.Module):
    """Depthwise convolution, then a convolution of width 1 with bias; as long as its input."""

    def __init__(self, channels: int, filters: int, width: int, *, dilation: int = 1, bias: bool = True) -> None:
        super().__init__()
        self.depthwise = DepthwiseConv1d(channels, width, dilation=dilation)
        self.pointwise = SameConv1d(channels, filters, 1, bias=bias)

    def forward(self, x: Float[Tensor, "batch channel position"]) -> Float[Tensor, "batch filter position"]:
        """The convolution of `x`, zeros beyond both ends."""
        return self.pointwise(self.depthwise(x))
