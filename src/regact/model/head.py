"""The head: from the trunk's bins to one value per track and bin."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from regact.model.conv_block import ConvBlock, SameConv1d
from regact.model.link import inverse_link
from regact.shapes import check_shape


class TrackHead(nn.Module):
    """What every head has: an affine layer to the tracks, the last step."""

    affine: SameConv1d

    @torch.no_grad()
    def start_at(self, rates: Sequence[float] | Float[Tensor, "track"], link: str = "exp") -> None:
        """Set the bias so that an untrained model predicts about `rates`, for example each track's mean count.

        Training then starts with shapes and not with scales, which may differ a thousandfold between tracks.
        Rates below 1e-4 count as 1e-4. Raises: ShapeError unless there is one rate per track.
        """
        bias = self.affine.bias
        values = torch.as_tensor(rates, dtype=torch.float64, device=self.affine.weight.device)
        check_shape(values, "track", name="rates", track=self.affine.weight.shape[0])
        if bias is not None:
            bias.copy_(inverse_link(values.clamp(min=1e-4), link))


class Head(TrackHead):
    """A width-1 convolution block, then an affine layer to the tracks (each bin for itself).

    With `relu_first` the block ends in batch norm, and a ReLU of its own stands before the affine layer.
    """

    def __init__(
        self,
        channels: int,
        filters: int,
        tracks: int,
        *,
        dropout: float = 0.05,
        relu_first: bool = False,
        epsilon: float = 1e-3,
    ) -> None:
        super().__init__()
        self.block = ConvBlock(channels, filters, 1, dropout=dropout, relu_first=relu_first, epsilon=epsilon)
        self.affine = SameConv1d(filters, tracks, 1, bias=True)

    def forward(self, bins: Float[Tensor, "batch channel bin"]) -> Float[Tensor, "batch track bin"]:
        """Z per track and bin, the value before the link."""
        features = self.block(bins)
        return self.affine(functional.relu(features) if self.block.relu_first else features)
