"""The small layers of a stack: norms, scale, max-pool, branches."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from regact.model.conv_block import same_max_pool


class BatchNorm(nn.Module):
    """Batch norm over batch and positions, on the numbers as an image of height 1 (see conv_block.py)."""

    def __init__(self, channels: int, *, epsilon: float = 1e-3, momentum: float = 0.1) -> None:
        super().__init__()
        # A plain BatchNorm2d inside: what shares statistics over processes looks for that class.
        self.norm = nn.BatchNorm2d(channels, eps=epsilon, momentum=momentum)

    def forward(self, x: Float[Tensor, "batch channel position"]) -> Float[Tensor, "batch channel position"]:
        """The normalised `x`."""
        return self.norm(x.unsqueeze(2)).squeeze(2)


class LayerNorm(nn.Module):
    """Each position's channels less their mean, over their standard deviation, times weight plus bias."""

    def __init__(self, channels: int, *, epsilon: float = 1e-3) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels, eps=epsilon)

    def forward(self, x: Float[Tensor, "batch channel position"]) -> Float[Tensor, "batch channel position"]:
        """The normalised `x`."""
        return self.norm(x.transpose(1, 2)).transpose(1, 2)


class Scale(nn.Module):
    """Each channel times its `weight`, which starts at 0, so that a branch begins as nothing."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Float[Tensor, "batch channel position"]) -> Float[Tensor, "batch channel position"]:
        """The scaled `x`."""
        return x * self.weight[:, None]


class MaxPool(nn.Module):
    """The maximum of each `size` positions; ceil(length / size) come out, by TensorFlow's "same" (`same_max_pool`)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Float[Tensor, "batch channel position"]) -> Float[Tensor, "batch channel pooled"]:
        """The pooled `x`."""
        return same_max_pool(x.unsqueeze(2), self.size).squeeze(2)

    def extra_repr(self) -> str:
        """The size, for printing the model."""
        return f"{self.size}"


class Residual(nn.Module):
    """`x` plus what the branch makes of it."""

    def __init__(self, branch: nn.Module) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, x: Float[Tensor, "batch channel position"]) -> Float[Tensor, "batch channel position"]:
        """The sum."""
        return x + self.branch(x)


class Concatenate(nn.Module):
    """The channels of `x`, then those that the branch makes of it."""

    def __init__(self, branch: nn.Module) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, x: Float[Tensor, "batch channel position"]) -> Float[Tensor, "batch both position"]:
        """Both."""
        return torch.cat([x, self.branch(x)], dim=1)
