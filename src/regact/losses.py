"""What training minimises."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from regact.errors import ShapeError


def poisson_nll(
    log_rate: Float[Tensor, "batch track bin"],
    counts: Float[Tensor, "batch track bin"],
    mask: Bool[Tensor, "batch bin"] | None = None,
) -> Float[Tensor, ""]:
    """Mean log-Poisson loss of binned counts: mean(exp(z) - y * z), log(y!) dropped.

    Eq. 1 of the paper with its sign made explicit, as the mean over tracks and the bins whose `mask` is true (0 where
    none is). `counts` are >= 0, per bin. Computed in float32 whatever the inputs' type.
    Raises: ShapeError where shapes differ (they would broadcast silently).
    """
    return _mean(poisson_nll_by_track(log_rate, counts, mask), counts, mask)


def poisson_nll_of_rate(
    rate: Float[Tensor, "batch track bin"],
    counts: Float[Tensor, "batch track bin"],
    mask: Bool[Tensor, "batch bin"] | None = None,
) -> Float[Tensor, ""]:
    """The same loss for a model whose link is not exp: mean(rate - y * log(rate)), rates below 1e-6 count as 1e-6.

    Raises: ShapeError where shapes differ.
    """
    return _mean(poisson_nll_of_rate_by_track(rate, counts, mask), counts, mask)


def poisson_nll_by_track(
    log_rate: Float[Tensor, "batch track bin"],
    counts: Float[Tensor, "batch track bin"],
    mask: Bool[Tensor, "batch bin"] | None = None,
) -> Float[Tensor, "track"]:
    """The sum of each track's terms in `poisson_nll`, which is their sum over the number of terms.

    Sums of parts of a batch add up, where means would need weights; and a track whose values break the loss shows.
    Raises: ShapeError where shapes differ.
    """
    _check(log_rate, counts, mask)
    z, y = _float_or_zero(log_rate, mask), _float_or_zero(counts, mask)
    return _masked_sums(z.exp() - y * z, mask)


def poisson_nll_of_rate_by_track(
    rate: Float[Tensor, "batch track bin"],
    counts: Float[Tensor, "batch track bin"],
    mask: Bool[Tensor, "batch bin"] | None = None,
) -> Float[Tensor, "track"]:
    """The sum of each track's terms in `poisson_nll_of_rate`. Raises: ShapeError where shapes differ."""
    _check(rate, counts, mask)
    positive, y = _float_or_zero(rate, mask).clamp(min=1e-6), _float_or_zero(counts, mask)
    return _masked_sums(positive - y * positive.log(), mask)


def _check(prediction: Tensor, counts: Tensor, mask: Tensor | None) -> None:
    if prediction.dim() != 3 or prediction.shape != counts.shape:
        raise ShapeError(
            f"predictions {tuple(prediction.shape)} and counts {tuple(counts.shape)}; needed one (batch, track, bin)"
        )
    batch, _, bins = prediction.shape
    if mask is not None and tuple(mask.shape) != (batch, bins):
        raise ShapeError(f"mask has shape {tuple(mask.shape)}; needed (batch={batch}, bin={bins})")


def _float_or_zero(values: Tensor, mask: Tensor | None) -> Tensor:
    # A masked bin may hold anything, and 0 * inf is NaN in a gradient: its values go before they are used.
    return values.float() if mask is None else torch.where(mask[:, None], values.float(), 0.0)


def _masked_sums(
    terms: Float[Tensor, "batch track bin"], mask: Bool[Tensor, "batch bin"] | None
) -> Float[Tensor, "track"]:
    return (terms if mask is None else terms * mask[:, None]).sum(dim=(0, 2))


def _mean(sums: Float[Tensor, "track"], counts: Tensor, mask: Bool[Tensor, "batch bin"] | None) -> Float[Tensor, ""]:
    if mask is None:
        return sums.sum() / counts.numel()
    return sums.sum() / (mask.sum() * len(sums)).clamp(min=1)
