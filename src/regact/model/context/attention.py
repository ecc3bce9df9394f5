"""Multi-head attention over bins, exactly as the paper prints it: Eq. 4 and 5."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from regact.model.context.distance import over_bins

# Where scores start (docs/paper.md, "Where the heads start"): this mean, for bins that batch norm and ReLU have left
# with a mean of 0.4 in each channel; and a spread of about a tenth, from W.
_START_SCORE, _BIN_MEAN = 8.0, 0.4
_START_SPREAD = 0.2


class Attention(nn.Module):
    """One attention layer: every head's context vectors, concatenated behind the layer's input.

    For bins h_j with d channels and one head of weights W (d, d), b (d) and distance function f:

        q_j = tanh(W h_j + b)                                   query, values in (-1, 1)
        s(j, t) = f(j, t) * (q_j . h_t)                         Eq. 5
        c_j = sum over t of softmax_t(s(j, t)) h_t              Eq. 4, the h_t themselves, j included

    f multiplies the score before the softmax, so a bin whose f is 0 keeps the weight e^0, not 0. With
    `distance_after_softmax` f multiplies the softmax of the bare scores (the prose of section 2.3.1), and
    `renormalise` divides these weights by their sum.
    """

    def __init__(
        self,
        channels: int,
        distance: nn.Module,
        *,
        heads: int,
        distance_after_softmax: bool = False,
        renormalise: bool = False,
    ) -> None:
        super().__init__()
        self.heads, self.distance = heads, distance
        self.distance_after_softmax, self.renormalise = distance_after_softmax, renormalise
        self.query = nn.Linear(channels, heads * channels)
        nn.init.normal_(self.query.weight, std=_START_SPREAD / channels)
        nn.init.constant_(self.query.bias, min(1.0, _START_SCORE / (_BIN_MEAN * channels)))

    def forward(self, bins: Float[Tensor, "batch channel bin"]) -> Float[Tensor, "batch channel*(1+head) bin"]:
        """`bins` followed by head 1's context vectors, head 2's, ..."""
        rows = bins.transpose(1, 2)  # (B, T, d): contiguous when `bins` comes from a convolution block
        context = self.weights(rows).to(rows.dtype).flatten(1, 2) @ rows  # (B, T * H, d)
        return torch.cat([rows, context.view(*rows.shape[:2], -1)], dim=-1).transpose(1, 2)

    def weights(self, rows: Float[Tensor, "batch bin channel"]) -> Float[Tensor, "batch bin head bin"]:
        """The weight of bin t in head's context vector of bin j, as [batch, j, head, t]."""
        batch, bins, channels = rows.shape
        queries = torch.tanh(self.query(rows)).view(batch, bins * self.heads, channels)
        scores = (queries @ rows.transpose(1, 2)).view(batch, bins, self.heads, bins)
        f = over_bins(self.distance, bins, rows).transpose(0, 1)  # (j, head, t)
        if not self.distance_after_softmax:
            return torch.softmax(f * scores, dim=-1)
        weights = f * torch.softmax(scores, dim=-1)
        if not self.renormalise:
            return weights
        # Where f is 0 at all that the softmax looks at, nothing is left to divide by; the square of the floor, which
        # the gradient divides by, is still a float32.
        return weights / weights.sum(dim=-1, keepdim=True).clamp(min=1e-12)
