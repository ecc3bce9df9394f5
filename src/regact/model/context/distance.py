"""Distance functions f(j, t): how much bin t may count for bin j by their positions alone.

All depend on the offset o = t - j in bins only, positive towards the right. One module gives the values of all heads
for a vector of offsets; `over_bins` spreads them to every pair of bins.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn


class DistanceFunction(nn.Module, ABC):
    """f of the offset o = t - j in bins, for each head; what it learns moves at `training.distance_rate`."""

    @abstractmethod
    def forward(self, offsets: Float[Tensor, "offset"]) -> Float[Tensor, "head offset"]:
        """Values of every head at some offsets."""


class NoDistance(DistanceFunction):
    """f = 1: every bin counts alike, wherever it lies."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads

    def forward(self, offsets: Float[Tensor, "offset"]) -> Float[Tensor, "head offset"]:
        """Ones, one row per head."""
        return offsets.new_ones(self.heads, len(offsets))


class ConstantDecay(DistanceFunction):
    """f = exp(-alpha |o|) with fixed alphas, one per head: Eq. 3 of the paper."""

    alphas: Tensor

    def __init__(self, alphas: Sequence[float]) -> None:
        super().__init__()
        self.heads = len(alphas)
        # Not saved with the weights: the model's spec holds them.
        self.register_buffer("alphas", torch.tensor(alphas), persistent=False)

    def forward(self, offsets: Float[Tensor, "offset"]) -> Float[Tensor, "head offset"]:
        """Values in (0, 1], 1 at offset 0."""
        return torch.exp(-self.alphas[:, None] * offsets.abs())


class LearnedDecay(DistanceFunction):
    """f = exp(-alpha |o|) with one learned alpha > 0 per head: Eq. 6 of the paper.

    What is learned is log(alpha): alpha stays positive, and a step changes a decay of 0.001 and one of 0.1 per bin by
    the same share.
    """

    def __init__(self, alphas: Sequence[float]) -> None:
        super().__init__()
        self.heads = len(alphas)
        self.log_alphas = nn.Parameter(torch.tensor(alphas).log())

    @property
    def alphas(self) -> Float[Tensor, "head"]:
        """Decay per bin of each head."""
        return self.log_alphas.exp()

    def forward(self, offsets: Float[Tensor, "offset"]) -> Float[Tensor, "head offset"]:
        """Values in (0, 1], 1 at offset 0."""
        return torch.exp(-self.alphas[:, None] * offsets.abs())


class TwoSidedDecay(DistanceFunction):
    """f = min(exp(alpha_r (o - N)), exp(alpha_l (-o - N))): Eq. 7 of the paper, its 512 written N.

    The first exponential rises to 1 at o = N, the second falls from 1 at o = -N; their minimum is a peak between, at
    o = N (alpha_r - alpha_l) / (alpha_r + alpha_l), of height exp(-2 N alpha_r alpha_l / (alpha_r + alpha_l)). alpha_r
    shapes the flank *left* of the peak, despite its name.
    `half_window_bins` is N, half the bins of the window that the model is trained on.
    """

    def __init__(self, alphas_right: Sequence[float], alphas_left: Sequence[float], *, half_window_bins: float) -> None:
        super().__init__()
        self.heads, self.half_window_bins = len(alphas_right), half_window_bins
        self.log_alphas_right = nn.Parameter(torch.tensor(alphas_right).log())
        self.log_alphas_left = nn.Parameter(torch.tensor(alphas_left).log())

    def forward(self, offsets: Float[Tensor, "offset"]) -> Float[Tensor, "head offset"]:
        """Values in (0, 1), at any offset: one of the two exponents is below 0 wherever the other is not."""
        rising = self.log_alphas_right.exp()[:, None] * (offsets - self.half_window_bins)
        falling = self.log_alphas_left.exp()[:, None] * (-offsets - self.half_window_bins)
        return torch.exp(torch.minimum(rising, falling))


def over_bins(distance: nn.Module, bins: int, like: Tensor) -> Float[Tensor, "head bin bin"]:
    """f(j, t) for every pair of `bins` bins as [head, j, t], on `like`'s device, in float32 or `like`'s wider type.

    There are 2 * bins - 1 different offsets; they are computed once each and read along the diagonals.
    """
    # Falling offsets, so that the slice of `bins` values starting at j holds o = (bins - 1 - j) - m, m = 0 .. bins - 1,
    # which is t - j for t = bins - 1 - m: one flip along t puts it right.
    # Never in half precision: bfloat16 does not know odd numbers above 256.
    exact = torch.promote_types(like.dtype, torch.float32)
    offsets = torch.arange(bins - 1, -bins, -1, device=like.device, dtype=exact)
    return distance(offsets).unfold(-1, bins, 1).flip(-1)


def peak_alphas(position: float, height: float, half_window_bins: float) -> tuple[float, float]:
    """alpha_r and alpha_l of the two-sided function whose peak has this position and height.

    `position` in (-1, 1) is counted in half windows from bin j, negative to the left; `height` in (0, 1).
    From exp(alpha_r (pN - N)) = height and exp(alpha_l (-pN - N)) = height.
    """
    decay = -math.log(height) / half_window_bins
    return decay / (1 - position), decay / (1 + position)
