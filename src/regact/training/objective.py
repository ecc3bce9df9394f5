"""What a step minimises: the log-Poisson loss through the model's own link, and the penalty on kernels."""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn

from regact.dataset.augment import Example
from regact.losses import poisson_nll, poisson_nll_of_rate
from regact.model import SequenceModel


def poisson_loss(model: SequenceModel, z: Float[Tensor, "batch track bin"], example: Example) -> Float[Tensor, ""]:
    """Eq. 1 of the paper, the mean over unmasked bins and tracks; under the exp link z itself is the log rate."""
    if model.link == "exp":
        return poisson_nll(z, example.targets, example.mask)
    return poisson_nll_of_rate(model.rate(z), example.targets, example.mask)


def kernels(model: nn.Module) -> Iterator[nn.Parameter]:
    """The weights of convolutions and affine maps: what L2 and decay act on.

    Batch norm, biases and the parameters of distance functions have a meaning of their own; drawing them towards 0
    would be a prior that nobody asked for.
    """
    for name, parameter in model.named_parameters():
        if parameter.ndim >= 2 and name.rpartition(".")[2] == "weight":
            yield parameter


def kernel_penalty(model: nn.Module, l2: float) -> Float[Tensor, ""]:
    """l2 * sum of squared kernel weights, the term added to the loss."""
    return l2 * torch.stack([kernel.square().sum() for kernel in kernels(model)]).sum()


def first_broken_track(model: SequenceModel, z: Float[Tensor, "batch track bin"], example: Example) -> int | None:
    """Position of the first track whose own loss is not finite, None where all are."""
    rate = model.rate(z)
    log_rate = z if model.link == "exp" else rate.log()
    terms = torch.where(example.mask[:, None], rate - example.targets * log_rate, 0.0)
    broken = ~terms.isfinite().all(dim=2).all(dim=0)
    return int(broken.nonzero()[0]) if broken.any() else None
