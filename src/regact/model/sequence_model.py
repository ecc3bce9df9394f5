"""The network on one screen: tower, context, head."""

from jaxtyping import Float, UInt8
from torch import Tensor, nn

from regact.model.head import TrackHead
from regact.model.link import apply_link
from regact.model.one_hot import one_hot
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
        self,
        tower: nn.Module,
        context: nn.Module,
        head: TrackHead,
        *,
        crop_bins: int = 0,
        link: str = "exp",
        n_value: float = 0.0,
    ) -> None:
        super().__init__()
        self.tower, self.context, self.head = tower, context, head
        self.crop_bins, self.link, self.n_value = crop_bins, link, n_value

    def one_hot(self, codes: UInt8[Tensor, "batch position"]) -> Float[Tensor, "batch 4 position"]:
        """What `forward` takes for a sequence of uint8 codes: one-hot, an N as this model was taught it."""
        return one_hot(codes, n_value=self.n_value)

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
