"""Plain pooling by distance: Eq. 3 of the paper."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from regact.model.context.distance import over_bins


class DistancePooling(nn.Module):
    """Sums of all bins weighted by distance alone, one per head, concatenated behind the layer's input.

        c_j = sum over t of f(j, t) h_t                         Eq. 3: not normalised, j included

    The presets' f is exp(-alpha |j - t|); any other distance function fits as well.
    """

    def __init__(self, distance: nn.Module) -> None:
        super().__init__()
        self.distance = distance

    def forward(self, bins: Float[Tensor, "batch channel bin"]) -> Float[Tensor, "batch channel*(1+head) bin"]:
        """`bins` followed by head 1's sums, head 2's, ..."""
        rows = bins.transpose(1, 2)
        f = over_bins(self.distance, bins.shape[-1], bins)
        pooled = f.to(rows.dtype).transpose(0, 1).flatten(0, 1) @ rows  # (B, T * H, d)
        return torch.cat([rows, pooled.view(*rows.shape[:2], -1)], dim=-1).transpose(1, 2)
