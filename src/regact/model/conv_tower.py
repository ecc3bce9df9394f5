"""The tower: convolution and pooling, from bases to bins."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from regact.model.conv_block import ConvBlock


class ConvTower(nn.Module):
    """One convolution block per entry of `filters`, `widths` and `pools`; a bin is prod(pools) bases.

    At paper scale (six blocks of the 2018 Basenji tower) 131,072 bases become 1,024 bins of 717 channels.
    """

    def __init__(
        self,
        filters: Sequence[int],
        widths: Sequence[int],
        pools: Sequence[int],
        *,
        dropout: float = 0.05,
        relu_first: bool = False,
        epsilon: float = 1e-3,
    ) -> None:
        super().__init__()
        blocks, channels = [], 4
        for f, w, p in zip(filters, widths, pools, strict=True):
            blocks.append(ConvBlock(channels, f, w, pool=p, dropout=dropout, relu_first=relu_first, epsilon=epsilon))
            channels = f
        self.blocks = nn.Sequential(*blocks)

    def forward(self, one_hot: Float[Tensor, "batch 4 position"]) -> Float[Tensor, "batch channel bin"]:
        """The bins of a one-hot sequence."""
        return self.blocks(one_hot)
