"""A convolution in two steps: along positions for each channel, then across channels at each position."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from regact.model.conv_block import SameConv1d


class SeparableConv1d(nn.Module):
    """Depthwise convolution, then a width-1 convolution with bias; as long as its input.

    `depthwise` is (channels, 1, width). An even span takes its extra position on the right, as `SameConv1d` does.
    """

    def __init__(self, channels: int, filters: int, width: int, *, dilation: int = 1, bias: bool = True) -> None:
        super().__init__()
        self.dilation = dilation
        self.depthwise = nn.Parameter(torch.empty(channels, 1, width))
        self.pointwise = SameConv1d(channels, filters, 1, bias=bias)
        nn.init.xavier_uniform_(self.depthwise)

    def forward(self, x: Float[Tensor, "batch channel position"]) -> Float[Tensor, "batch filter position"]:
        """The convolution of `x`, zeros beyond both ends."""
        span = self.dilation * (self.depthwise.shape[-1] - 1)
        padded = functional.pad(x, (span // 2, span - span // 2))
        mixed = functional.conv1d(padded, self.depthwise, dilation=self.dilation, groups=x.shape[1])
        return self.pointwise(mixed)
