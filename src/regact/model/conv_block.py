"""The convolution block from which tower, dilated context and head are made.

Tensors are (batch, channel, position) on the outside. Inside, a block computes on the same numbers as an image of
height 1 in channels-last memory order, (batch, 1, position, channel): convolution, batch norm and pooling are all
faster so on CPU (benchmarks/RESULTS.md) and on tensor cores, and no block has to turn its input, since the outputs
keep that order and the view in between is free.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from regact.model.dropout import Dropout


class SameConv1d(nn.Module):
    """Convolution whose output is as long as its input; an even width takes its extra base on the right.

    That is TensorFlow's "same": width 22 sees 10 positions to the left and 11 to the right.
    `weight` is (filters, channels, width), as in `nn.Conv1d`; Xavier-uniform start, as the published models had.
    """

    def __init__(self, channels: int, filters: int, width: int, *, dilation: int = 1, bias: bool = False) -> None:
        super().__init__()
        self.width, self.dilation = width, dilation
        self.weight = nn.Parameter(torch.empty(filters, channels, width))
        self.bias = nn.Parameter(torch.zeros(filters)) if bias else None
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x: Float[Tensor, "batch channel position"]) -> Float[Tensor, "batch filter position"]:
        """The convolution of `x`, zeros beyond both ends."""
        span = self.dilation * (self.width - 1)
        if span % 2:  # padding="same" would do this too, but with a warning
            x = functional.pad(x, (0, 1))
        image = x.unsqueeze(2).contiguous(memory_format=torch.channels_last)
        # Dilation changes nothing at width 1, but keeps torch from its slow CPU path for these (twice the time).
        dilation = (1, self.dilation if self.width > 1 else 2)
        image = functional.conv2d(image, self.weight.unsqueeze(2), self.bias, padding=(0, span // 2), dilation=dilation)
        return image.squeeze(2)

    def extra_repr(self) -> str:
        """Sizes, for printing the model."""
        filters, channels, width = self.weight.shape
        return f"{channels}, {filters}, width={width}, dilation={self.dilation}, bias={self.bias is not None}"


class ConvBlock(nn.Module):
    """Convolution (no bias), batch norm, ReLU, max-pool, dropout, in this order.

    Batch norm has epsilon 1e-3 and momentum 0.1 (0.9 in TensorFlow's terms), as the published models had.
    """

    def __init__(
        self, channels: int, filters: int, width: int, *, pool: int = 1, dilation: int = 1, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.pool = pool
        self.conv = SameConv1d(channels, filters, width, dilation=dilation)
        self.norm = nn.BatchNorm2d(filters, eps=1e-3, momentum=0.1)
        self.dropout = Dropout(dropout)

    def forward(self, x: Float[Tensor, "batch channel position"]) -> Float[Tensor, "batch filter position//pool"]:
        """The block's output; the length of `x` must be a multiple of `pool`."""
        image = self.norm(self.conv(x).unsqueeze(2))
        if self.pool > 1:
            # Before the ReLU, not after: the same numbers, since ReLU never decreases, at 1/pool of its work.
            image = functional.max_pool2d(image, (1, self.pool))
        return self.dropout(functional.relu(image, inplace=True)).squeeze(2)
