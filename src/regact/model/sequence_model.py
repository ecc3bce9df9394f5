"""The network on one screen: tower, context, head."""

from jaxtyping import Float
from torch import Tensor, nn

from regact.model.head import Head
from regact.model.link import apply_link
from regact.model.spec import ModelSpec


class SequenceModel(nn.Module):
    """DNA sequence to regulatory activity.

        one-hot (B, 4, L) ── tower ──> bins (B, d, L / bin_bp) ── context ──> (B, c, L / bin_bp)
                                       ── crop ──> (B, c, bins) ── head ──> z (B, tracks, bins) ── link ──> rate

    The tower sees a few hundred bases around a bin; the context lets bins see each other; the head reads each bin for
    itself. `embed_bins` and `from_bins` are the two halves: forward(x) = from_bins(embed_bins(x)).
    """

    spec: ModelSpec  # what `build_model` made this from; kept for saving, read by no layer

    def __init__(
        self, tower: nn.Module, context: nn.Module, head: Head, *, crop_bins: int = 0, link: str = "exp"
    ) -> None:
        super().__init__()
        self.tower, self.context, self.head = tower, context, head
        self.crop_bins, self.link = crop_bins, link

    def forward(self, one_hot: Float[Tensor, "batch 4 position"]) -> Float[Tensor, "batch track bin"]:
        """z, the value before the link; with the exp link this is the log rate."""
        return self.from_bins(self.embed_bins(one_hot))

    def embed_bins(self, one_hot: Float[Tensor, "batch 4 position"]) -> Float[Tensor, "batch channel allbins"]:
        """The tower's bins, the crop still on them."""
        return self.tower(one_hot)

    def from_bins(self, bins: Float[Tensor, "batch channel allbins"]) -> Float[Tensor, "batch track bin"]:
        """Z from the tower's bins."""
        mixed = self.context(bins)
        return self.head(mixed[..., self.crop_bins : mixed.shape[-1] - self.crop_bins])

    def rate(self, z: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Expected counts of `z`."""
        return apply_link(z, self.link)
