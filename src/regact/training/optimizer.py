"""Adam, and its learning rate at each step."""

import math

import torch
from torch import nn

from regact.training.config import TrainingConfig
from regact.training.objective import kernels


def build_optimizer(model: nn.Module, config: TrainingConfig) -> torch.optim.AdamW:
    """Adam over all parameters; with `decoupled_decay`, kernels shrink besides (AdamW, which is Adam without decay)."""
    kernel_ids = {id(kernel) for kernel in kernels(model)}
    decayed = [p for p in model.parameters() if id(p) in kernel_ids]
    spared = [p for p in model.parameters() if id(p) not in kernel_ids]
    groups = [
        {"params": decayed, "weight_decay": config.decoupled_decay},
        {"params": spared, "weight_decay": 0.0},
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
