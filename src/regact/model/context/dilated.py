"""Dense dilated convolutions, the context of Basenji: Eq. 2 of the paper."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from regact.model.conv_block import ConvBlock


class DilatedStack(nn.Module):
    """`layers` convolution blocks of dilation 2, 4, 8, ...; each reads the input and all blocks before it (dense).

    With width 3 a bin sees 2 + 4 + ... = 2^(layers + 1) - 2 bins to either side: 254 with seven layers.
    """

    def __init__(
        self,
        channels: int,
        filters: int,
        layers: int,
        *,
        width: int = 3,
        dropout: float = 0.1,
        relu_first: bool = False,
        epsilon: float = 1e-3,
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            ConvBlock(
                channels + i * filters,
                filters,
                width,
                dilation=2 ** (i + 1),
                dropout=dropout,
                relu_first=relu_first,
                epsilon=epsilon,
            )
            for i in range(layers)
        )

    def forward(self, bins: Float[Tensor, "batch channel bin"]) -> Float[Tensor, "batch channel+layers*filter bin"]:
        """`bins` followed by the output of every block."""
        for block in self.blocks:
            bins = torch.cat([bins, block(bins)], dim=1)
        return bins
