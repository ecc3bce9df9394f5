"""Stacks in the places of a model's tower, context and head."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from regact.model.conv_block import SameConv1d
from regact.model.head import TrackHead
from regact.model.stack.unet import UNetJoin, fold, unfold


class StackBlock(nn.Module):
    """Layers in order; with `keep`, what comes out of a tower's block is wanted again."""

    def __init__(self, layers: Sequence[nn.Module], *, keep: bool = False) -> None:
        super().__init__()
        self.layers, self.keep = nn.Sequential(*layers), keep

    def forward(
        self, x: Float[Tensor, "batch channel position"], *kept: Float[Tensor, "batch _ _"]
    ) -> Float[Tensor, "batch filter _"]:
        """The last layer's output; `kept` is everything that the tower kept, in its order."""
        for layer in self.layers:
            x = layer(x, *kept) if isinstance(layer, UNetJoin) else layer(x)
        return x


class StackTower(nn.Module):
    """Blocks from one-hot sequence to bins; what was kept on the way is folded in behind the bins' own channels."""

    def __init__(self, blocks: Sequence[StackBlock]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def forward(self, one_hot: Float[Tensor, "batch 4 position"]) -> Float[Tensor, "batch channel bin"]:
        """The bins of a one-hot sequence."""
        x, kept = one_hot, []
        for block in self.blocks:
            x = block(x)
            if block.keep:
                kept.append(x)
        return fold(x, kept)


class StackContext(nn.Module):
    """Blocks that mix bins, from bins of `channels` and what the tower `kept`: (channels, positions per bin) each."""

    def __init__(self, blocks: Sequence[StackBlock], *, channels: int, kept: Sequence[tuple[int, int]] = ()) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.channels, self.kept = channels, tuple(kept)

    def forward(self, bins: Float[Tensor, "batch all bin"]) -> Float[Tensor, "batch channel finer"]:
        """The bins after the last block; its U-Net joins make several of each."""
        x, kept = unfold(bins, self.channels, self.kept)
        for block in self.blocks:
            x = block(x, *kept)
        return x


class StackHead(TrackHead):
    """Layers that take each bin for itself, then an affine layer to the tracks."""

    def __init__(self, layers: Sequence[nn.Module], channels: int, tracks: int) -> None:
        super().__init__()
        self.block = nn.Sequential(*layers)
        self.affine = SameConv1d(channels, tracks, 1, bias=True)

    def forward(self, bins: Float[Tensor, "batch channel bin"]) -> Float[Tensor, "batch track bin"]:
        """Z per track and bin, the value before the link."""
        return self.affine(self.block(bins))
