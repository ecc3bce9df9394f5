"""Adam, and its learning rate at each step."""

import math
from collections.abc import Iterable

import torch
from torch import nn

from regact.model.context import Attention, DistanceFunction
from regact.training.config import TrainingConfig
from regact.training.objective import kernels


def build_optimizer(
    model: nn.Module, config: TrainingConfig, *, taken: Iterable[nn.Module] = (), rate_factor: float = 1.0
) -> torch.optim.AdamW:
    """Adam over all parameters; with `decoupled_decay`, kernels shrink besides (AdamW, which is Adam without decay).

    Each group has its `rate_factor`, by which the learning rate of a step is to be multiplied: the configuration's
    `distance_rate` and `query_rate` for what they name, times the one given here for the parts of the model that were
    `taken` from another run.
    """
    kernel_ids = {id(kernel) for kernel in kernels(model)}
    factors = _rate_factors(model, config)
    for part in taken:
        for parameter in part.parameters():
            factors[id(parameter)] *= rate_factor
    groups: dict[tuple[bool, float], list[nn.Parameter]] = {}
    for parameter in model.parameters():
        groups.setdefault((id(parameter) in kernel_ids, factors[id(parameter)]), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": params, "weight_decay": config.decoupled_decay if kernel else 0.0, "rate_factor": factor}
            for (kernel, factor), params in groups.items()
        ],
        lr=config.learning_rate,
        betas=config.betas,
    )


def _rate_factors(model: nn.Module, config: TrainingConfig) -> dict[int, float]:
    """The share of the learning rate that each parameter (by id) learns at."""
    factors = {id(parameter): 1.0 for parameter in model.parameters()}
    for module in model.modules():
        if isinstance(module, DistanceFunction):
            factors |= {id(parameter): config.distance_rate for parameter in module.parameters()}
        elif isinstance(module, Attention):
            factors[id(module.query.weight)] = config.query_rate
    return factors


def learning_rate_at(step: int, config: TrainingConfig, total_steps: int) -> float:
    """The learning rate of step `step`, counted from 0: a pure function, so that a resume needs no scheduler state.

    Linear warm-up over `warmup_steps`, then constant, or half a cosine that would reach 0 at `total_steps`.
    """
    if step < config.warmup_steps:
        return config.learning_rate * ((step + 1) / config.warmup_steps)  # the last of them exactly the full value
    if config.schedule == "constant":
        return config.learning_rate
    fraction = (step - config.warmup_steps) / max(1, total_steps - config.warmup_steps)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * min(1.0, fraction)))
