"""The convolution block from which tower, dilated context and head are made.

Tensors are (batch, channel, position) on the outside. Inside, a block computes on the same numbers as an image of
height 1 in channels-last memory order, (batch, 1, position, channel): batch norm and pooling are faster so on CPU, and
most convolutions (benchmarks/RESULTS.md), as all are on tensor cores; no block has to turn its input, since the outputs
keep that order and the view in between is free. Wide convolutions of long windows on a CPU alone are turned.
"""

from math import inf

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from regact.model.dropout import Dropout

# Channels x positions of a window from which oneDNN's gradients in channels-last order take up to twice as long as
# channel by channel (torch 2.13 on AVX-512, bench_train_step); below, the two are equal.
_TURNED_FROM = 2_000_000


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
        if self._is_faster_turned(x):
            return functional.conv1d(x.contiguous(), self.weight, self.bias, padding=span // 2, dilation=self.dilation)
        image = x.unsqueeze(2).contiguous(memory_format=torch.channels_last)
        # Dilation changes nothing at width 1, but keeps torch from its slow CPU path for these (twice the time).
        dilation = (1, self.dilation if self.width > 1 else 2)
        image = functional.conv2d(image, self.weight.unsqueeze(2), self.bias, padding=(0, span // 2), dilation=dilation)
        return image.squeeze(2)

    def _is_faster_turned(self, x: Float[Tensor, "batch channel position"]) -> bool:
        """Whether a CPU is faster where each channel lies in one piece: many of them over many positions."""
        wide = min(self.weight.shape[:2]) * x.shape[-1] >= _TURNED_FROM
        return wide and self.width > 1 and x.device.type == "cpu"

    def extra_repr(self) -> str:
        """Sizes, for printing the model."""
        filters, channels, width = self.weight.shape
        return f"{channels}, {filters}, width={width}, dilation={self.dilation}, bias={self.bias is not None}"


class ConvBlock(nn.Module):
    """Convolution (no bias), batch norm, ReLU, max-pool, dropout, in this order.

    With `relu_first`: ReLU, convolution, batch norm, dropout, max-pool, as Basenji had it from March 2018 on.
    Batch norm has momentum 0.1 (0.9 in TensorFlow's terms) and by default epsilon 1e-3, as the published models had.
    """

    def __init__(
        self,
        channels: int,
        filters: int,
        width: int,
        *,
        pool: int = 1,
        dilation: int = 1,
        dropout: float = 0.0,
        relu_first: bool = False,
        epsilon: float = 1e-3,
    ) -> None:
        super().__init__()
        self.pool, self.relu_first = pool, relu_first
        self.conv = SameConv1d(channels, filters, width, dilation=dilation)
        self.norm = nn.BatchNorm2d(filters, eps=epsilon, momentum=0.1)
        self.dropout = Dropout(dropout)

    def forward(self, x: Float[Tensor, "batch channel position"]) -> Float[Tensor, "batch filter position//pool"]:
        """The block's output, one position for each `pool` of `x` (rounded up)."""
        if self.relu_first:
            image = self.dropout(self.norm(self.conv(functional.relu(x)).unsqueeze(2)))
            return same_max_pool(image, self.pool).squeeze(2)
        # Pooled before the ReLU, not after: the same numbers, since ReLU never decreases, at 1/pool of its work.
        image = same_max_pool(self.norm(self.conv(x).unsqueeze(2)), self.pool)
        return self.dropout(functional.relu(image, inplace=True)).squeeze(2)


def same_max_pool(
    image: Float[Tensor, "batch channel 1 position"], pool: int
) -> Float[Tensor, "batch channel 1 position//pool"]:
    """The largest of each `pool` positions; where they do not come out even, both ends have fewer.

    That is TensorFlow's "same": with pool 4, five positions are cut after the third.
    """
    missing = -image.shape[-1] % pool
    if missing:
        image = functional.pad(image, (missing // 2, missing - missing // 2), value=-inf)
    return functional.max_pool2d(image, (1, pool)) if pool > 1 else image
