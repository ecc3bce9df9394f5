"""How much an enhancer adds to a promoter, by their signed distance."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from regact.simulation.config import ContactConfig


@dataclass(frozen=True)
class Contact:
    """A function of signed distance with a near part inside R and a far part beyond it; lengths in bp.

    Attributes:
        near_end: Where the near part, highest at the promoter, has fallen to 0.
        far_centre: Where the far part is highest.
        far_halfwidth: From the far part's centre to its ends.
        near_height: Height of the near part upstream.
        far_height: Height of the far part upstream.
        downstream_factor: Heights downstream relative to those upstream.
    """

    near_end: float
    far_centre: float
    far_halfwidth: float
    near_height: float
    far_height: float
    downstream_factor: float

    def __call__(self, distance: Int64[np.ndarray, "..."] | Float64[np.ndarray, "..."]) -> Float64[np.ndarray, "..."]:
        """Weight of an enhancer at `distance` bp from the start of transcription, negative upstream; 0 to 1."""
        size = np.abs(distance)
        near = self.near_height * _raised_cosine(size / self.near_end)
        far = self.far_height * _raised_cosine((size - self.far_centre) / self.far_halfwidth)
        return (near + far) * np.where(np.asarray(distance) > 0, self.downstream_factor, 1.0)

    @property
    def farthest(self) -> int:
        """Bases beyond which every weight is 0."""
        return int(np.ceil(max(self.near_end, self.far_centre + self.far_halfwidth)))


def build_contact(config: ContactConfig, reach_bp: int) -> Contact:
    """The contact function whose parts have the areas that `config` asks for.

    Enhancers lie anywhere with equal probability, so the expected share of activation from beyond R and from upstream
    are shares of the function's area. A raised cosine of half-width w and height h has the area h w, its right half
    h w / 2.
    """
    near_area, far_area = config.near_end / 2, config.far_halfwidth
    near, far = (1 - config.distal_share) / near_area, config.distal_share / far_area
    highest = max(near, far)
    return Contact(
        near_end=config.near_end * reach_bp,
        far_centre=config.far_centre * reach_bp,
        far_halfwidth=config.far_halfwidth * reach_bp,
        near_height=near / highest,
        far_height=far / highest,
        downstream_factor=(1 - config.upstream_share) / config.upstream_share,
    )


def _raised_cosine(x: Float64[np.ndarray, "..."]) -> Float64[np.ndarray, "..."]:
    return np.where(np.abs(x) < 1, 0.5 * (1 + np.cos(np.pi * x)), 0.0)
