"""What ends a training against its will, as errors that say where, and what to do."""

import math
from collections.abc import Sequence

from lightning_fabric import Fabric

from regact.errors import MemoryFullError, TrainingError
from regact.training.config import TrainingConfig
from regact.training.objective import first_broken_track
from regact.training.step import StepResult


def not_finite(where: str, result: StepResult, tracks: Sequence[str], *, best_epoch: int) -> TrainingError:
    """The error for a step whose loss, or else whose gradient, is not finite: names a track that broke the loss.

    Args:
        where: The run and the step, in words.
        tracks: Names of all tracks.
        best_epoch: The epoch whose weights are kept, counted from 1; 0 where none is finished.
    """
    what, value = "the gradient", result.gradient_norm
    if not math.isfinite(result.loss):
        what, value = "the loss", result.loss
        track = first_broken_track(result.loss_sums)
        where += f", track {tracks[track]}" if track is not None else ""
    kept = f"the weights of epoch {best_epoch} are kept" if best_epoch else "no epoch was finished yet"
    return TrainingError(
        where, f"{what} is {value}", "a finite number", f"lower training.learning_rate or clip the track ({kept})"
    )


def memory_full(config: TrainingConfig, fabric: Fabric, fits: int) -> MemoryFullError:
    """The error that names the batch size which fits, `fits` being the windows that one device holds at once."""
    where, devices = f"training.batch_size {config.batch_size}", fabric.world_size
    found = f"the memory of {fabric.device} is full"
    if not fits:
        remedy = "set training.activation_checkpointing and training.precision: bfloat16, or make the model smaller"
        return MemoryFullError(where, found, "room for one window", remedy)
    size, parts = fits * config.accumulate * devices, -(-config.batch_size // (fits * devices))
    return MemoryFullError(
        where,
        f"{found}, which holds {fits} windows at once",
        f"training.batch_size {size} at most" + (f" with accumulate {config.accumulate}" * (config.accumulate > 1)),
        f"or keep the batch size with training.accumulate {parts}; activation_checkpointing takes less memory too",
    )
