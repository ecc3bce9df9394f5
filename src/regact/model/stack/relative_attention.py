"""Attention with relative positions, as Enformer and Borzoi have it (Avsec et al. 2021; Dai et al. 2019).

    score(j, t) = (q_j / sqrt(K) + u) . k_t  +  (q_j / sqrt(K) + v) . r(t - j)
    r(d) = R f(d),   f(d) = [1(|d| < w_i)]_i followed by [sign(d) 1(|d| < w_i)]_i,   w_i = (n + 1)^(i / F) - 1, i = 1..F

with u, v per head, F half the number of position features and n the number of bins. Softmax over t, weighted sum of
the values, all heads' sums through one affine map.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from regact.model.conv_block import SameConv1d
from regact.model.dropout import Dropout


class RelativeAttention(nn.Module):
    """One layer of it: `heads` heads of `key_size` for queries and keys, `value_size` for values.

    Without `content_position_bias` the score's second half is v . r(t - j): the same for every j and any content.
    `feature_bins` is n where it shall not be the number of bins that come in. With 0 `position_features` scores depend
    on content alone.
    """

    def __init__(
        self,
        channels: int,
        *,
        heads: int,
        key_size: int,
        value_size: int,
        position_features: int,
        content_position_bias: bool = True,
        feature_bins: int | None = None,
        dropout: float = 0.0,
        position_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.heads, self.key_size = heads, key_size
        self.position_features, self.feature_bins = position_features, feature_bins
        self.content_position_bias = content_position_bias
        self.query = SameConv1d(channels, heads * key_size, 1)
        self.key = SameConv1d(channels, heads * key_size, 1)
        self.value = SameConv1d(channels, heads * value_size, 1)
        self.join = SameConv1d(heads * value_size, heads * value_size, 1, bias=True)
        self.content_bias = nn.Parameter(torch.zeros(heads, 1, key_size))
        if position_features:
            self.position_key = SameConv1d(position_features, heads * key_size, 1)
            self.position_bias = nn.Parameter(torch.zeros(heads, 1, key_size))
        self.dropout, self.position_dropout = Dropout(dropout), Dropout(position_dropout)

    def forward(self, bins: Float[Tensor, "batch channel bin"]) -> Float[Tensor, "batch value bin"]:
        """What all heads gather for each bin."""
        query = self._by_head(self.query(bins)) * self.key_size**-0.5
        key, value = self._by_head(self.key(bins)), self._by_head(self.value(bins))
        scores = (query + self.content_bias) @ key.transpose(-1, -2)
        if self.position_features:
            scores = scores + self._position_scores(query)
        weights = self.dropout(scores.softmax(dim=-1))
        gathered = (weights @ value).transpose(-1, -2)  # (batch, head, value, bin)
        return self.join(gathered.flatten(1, 2))

    def _by_head(self, x: Float[Tensor, "batch channel bin"]) -> Float[Tensor, "batch head bin size"]:
        return x.unflatten(1, (self.heads, -1)).transpose(-1, -2)

    def _position_scores(self, query: Float[Tensor, "batch head bin size"]) -> Float[Tensor, "batch head bin other"]:
        bins = query.shape[2]
        offsets = torch.arange(1 - bins, bins, device=query.device, dtype=torch.float32)
        features = distance_features(offsets, self.position_features, bins=self.feature_bins or bins)
        features = self.position_dropout(features.to(query.dtype))
        keys = self._by_head(self.position_key(features.T[None])).transpose(-1, -2)  # (1, head, size, offset)
        if self.content_position_bias:
            return _offsets_to_bins((query + self.position_bias) @ keys)
        return _offsets_to_bins((self.position_bias @ keys).expand(1, -1, bins, -1))


def distance_features(offsets: Float[Tensor, "offset"], features: int, *, bins: int) -> Float[Tensor, "offset feature"]:
    """f(d) of the module's formula for each signed offset in bins.

    Widths are computed in float32 as the published code does: a width that is a whole number in exact arithmetic
    includes or leaves out the offset at its edge by its rounding.
    """
    each = features // 2
    base = torch.tensor(math.exp(math.log(bins + 1) / each), dtype=torch.float32, device=offsets.device)
    widths = base ** torch.arange(1, each + 1, dtype=torch.float32, device=offsets.device) - 1
    inside = (widths > offsets.abs()[:, None]).to(offsets.dtype)
    return torch.cat([inside, offsets.sign()[:, None] * inside], dim=1)


def _offsets_to_bins(scores: Float[Tensor, "batch head bin offset"]) -> Float[Tensor, "batch head bin other"]:
    """From the scores of bin j at offsets -(n - 1) .. n - 1 those of bin j with bins 0 .. n - 1: entry t - j + n - 1.

    j steps one row down and one entry left, so the wanted entries lie 2n - 2 apart from row to row in memory.
    """
    scores = scores.contiguous()
    batch, heads, bins, offsets = scores.shape
    strides = (heads * bins * offsets, bins * offsets, offsets - 1, 1)
    return scores.as_strided((batch, heads, bins, bins), strides, scores.storage_offset() + bins - 1)
