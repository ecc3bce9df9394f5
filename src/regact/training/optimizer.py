"""Adam, and its learning rate at each step."""

import math
from collections.abc import Iterable

import torch
from torch import nn

from regact.training.config import TrainingConfig
from regact.training.objective import kernels


def build_optimizer(
    model: nn.Module, config: TrainingConfig, *, taken: Iterable[nn.Module] = (), rate_factor: float = 1.0
) -> torch.optim.AdamW:
    """Adam over all parameters; with `decoupled_decay`, kernels shrink besides (AdamW, which is Adam without decay).

    Each group has its `rate_factor`, by which the learning rate of a step is to be multiplied: for the parts of the
    model that were `taken` from another run the one given here, else 1.
    """
    kernel_ids = {id(kernel) for kernel in kernels(model)}
    taken_ids = {id(parameter) for part in taken for parameter in part.parameters()}
    groups = [
        {
            "params": [p for p in model.parameters() if (id(p) in kernel_ids, id(p) in taken_ids) == (kernel, old)],
            "weight_decay": config.decoupled_decay if kernel else 0.0,
            "rate_factor": rate_factor if old else 1.0,
        }
        for kernel in (True, False)
        for old in (True, False)
    ]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]], lr=config.learning_rate, betas=config.betas
    )


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
