"""What a step minimises: the log-Poisson loss through the model's own link, and the penalty on kernels."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from regact.dataset.augment import Example
from regact.losses import poisson_nll_by_track, poisson_nll_of_rate_by_track
from regact.model import SequenceModel


def poisson_sums(model: SequenceModel, z: Float[Tensor, "batch track bin"], example: Example) -> Float[Tensor, "track"]:
    """Eq. 1 of the paper summed over unmasked bins, track by track; over bins times tracks, their sum is the loss.

    Under the exp link z itself is the log rate.
    """
    if model.link == "exp":
        return poisson_nll_by_track(z, example.targets, example.mask)
    return poisson_nll_of_rate_by_track(model.rate(z), example.targets, example.mask)


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


def first_broken_track(sums: Float[np.ndarray, "track"]) -> int | None:
    """Position of the first track whose own loss is not finite, None where all are."""
    broken = np.flatnonzero(~np.isfinite(sums))
    return int(broken[0]) if len(broken) else None
