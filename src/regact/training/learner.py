"""A model made ready to learn: optimizer, precision and devices around it, and its steps."""

from dataclasses import dataclass

import torch
from jaxtyping import Int64
from lightning_fabric import Fabric
from lightning_fabric.wrappers import _FabricModule
from torch import Tensor

from regact.model import SequenceModel
from regact.training.compile import compile_network
from regact.training.config import TrainingConfig
from regact.training.optimizer import build_optimizer
from regact.training.recompute import recompute_activations
from regact.training.shared_batch_norm import share_batch_statistics
from regact.training.step import TrainingStep
from regact.training.transfer import TransferConfig, taken_parts


@dataclass(frozen=True)
class Learner:
    """What a run learns with.

    Attributes:
        model: The network, on its device.
        wrapped_model: The same as Fabric calls it, for precision and several devices.
        optimizer: Adam; its moments are part of a run's state.
        step: Takes batches and moves the weights.
    """

    model: SequenceModel
    wrapped_model: _FabricModule
    optimizer: torch.optim.Optimizer
    step: TrainingStep


def make_learner(
    model: SequenceModel,
    config: TrainingConfig,
    transfer: TransferConfig,
    fabric: Fabric,
    *,
    strand_pair: Int64[Tensor, "track"],
    total_steps: int,
) -> Learner:
    """Make `model`, whose first weights are in place, ready to learn; it moves to the device of `fabric`."""
    optimizer = build_optimizer(model, config, taken=taken_parts(model, transfer), rate_factor=transfer.rate_factor)
    if fabric.world_size > 1:
        share_batch_statistics(model)
    if config.activation_checkpointing:
        recompute_activations(model)
    # Fabric moves the model to its device; what it returns wraps both for precision and several devices.
    network = compile_network(model) if config.compile else model
    wrapped_model, wrapped_optimizer = fabric.setup(network, optimizer)
    wrapped_model.mark_forward_method("from_bins")
    step = TrainingStep(
        model, wrapped_model, wrapped_optimizer, fabric, config, strand_pair=strand_pair, total_steps=total_steps
    )
    return Learner(model, wrapped_model, optimizer, step)
