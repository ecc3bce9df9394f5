"""Finer bins beside coarse ones: how a U-Net's skip connections pass between tower and context in one tensor.

The tower gives bins (batch, channel, bin). What it kept at a finer resolution has a whole number of positions per
bin; these are laid behind the bin's own channels, so that a tensor of bins still holds all that the context needs.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn


def fold(
    bins: Float[Tensor, "batch channel bin"], kept: Sequence[Float[Tensor, "batch _ _"]]
) -> Float[Tensor, "batch all bin"]:
    """`bins` with the positions of each of `kept` as further channels; lengths are multiples of the number of bins."""
    if not kept:
        return bins
    rows = [x.transpose(1, 2).reshape(len(x), bins.shape[-1], -1) for x in (bins, *kept)]
    return torch.cat(rows, dim=2).transpose(1, 2)


def unfold(
    bins: Float[Tensor, "batch all bin"], channels: int, kept: Sequence[tuple[int, int]]
) -> tuple[Float[Tensor, "batch channel bin"], list[Float[Tensor, "batch _ _"]]]:
    """What `fold` joined: bins of `channels`, and of each (channels, positions per bin) in `kept` its tensor."""
    if not kept:
        return bins, []
    widths = [channels, *(c * positions for c, positions in kept)]
    first, *rest = bins.transpose(1, 2).split(widths, dim=2)
    batch = bins.shape[0]
    return first.transpose(1, 2), [
        x.reshape(batch, -1, c).transpose(1, 2) for x, (c, _) in zip(rest, kept, strict=True)
    ]


class UNetJoin(nn.Module):
    """`main` of the input, each position `factor` times over, plus `side` of what the tower kept."""

    def __init__(self, main: nn.Module, side: nn.Module, *, skip: int, factor: int) -> None:
        super().__init__()
        self.main, self.side = main, side
        self.skip, self.factor = skip, factor

    def forward(
        self, x: Float[Tensor, "batch channel position"], *kept: Float[Tensor, "batch _ _"]
    ) -> Float[Tensor, "batch channel finer"]:
        """The sum; `kept` holds everything that the tower kept, in its order."""
        return self.main(x).repeat_interleave(self.factor, dim=-1) + self.side(kept[self.skip])
