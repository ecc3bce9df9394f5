"""Where a run stands, and the one file from which it goes on as if it had never stopped.

The order of windows, shifts and strands is a pure function of (seed, epoch, batch) (`dataset/batch_plan.py`), dropout
of (seed, step, part of the batch) (`seed_step`): there is no generator to save, only weights, optimizer moments and a
few numbers.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from regact.engine import whole_file
from regact.errors import RunError
from regact.training.run_folder import LAST

STATE_FILE = Path(LAST) / "state.safetensors"


@dataclass
class Progress:
    """How far a run has come."""

    epoch: int = 0  # finished epochs
    batch: int = 0  # finished batches of the running epoch
    step: int = 0  # optimizer steps in all
    seconds: float = 0.0  # of work, those before a resume included
    loss_sum: float = 0.0  # over the finished batches of the running epoch
    best_score: float | None = None
    best_epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)  # one row an epoch, as in log.csv


def seed_step(seed: int, step: int, part: int = 0) -> None:
    """Seed torch's generators for dropout in this step, so that its masks depend on (seed, step, part) alone.

    `part` counts the parts into which a step's batch is cut, over processes and micro-batches: no two draw alike.
    """
    torch.manual_seed(int(np.random.SeedSequence([seed, step, part]).generate_state(1, np.uint64)[0]))


def save_state(run: Path, model: nn.Module, optimizer: torch.optim.Optimizer, progress: Progress) -> None:
    """Write the state of a run beside the one before, then put it in its place in one move."""
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": torch.as_tensor(value) for name, value in moments.items()}
    with whole_file(run / STATE_FILE) as path:
        contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        # Not save_file, whose files only their owner may read.
        path.write_bytes(save(contiguous, metadata={"progress": json.dumps(asdict(progress))}))


def has_state(run: Path) -> bool:
    """Whether the run was ever saved."""
    return (run / STATE_FILE).exists()


def load_state(run: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> Progress:
    """Put weights and moments of the last saved state into `model` and `optimizer`; return how far it had come.

    Raises: RunError where the run has no state, or one of another model.
    """
    tensors, progress = _read(run / STATE_FILE)
    weights = {name.removeprefix("model."): t for name, t in tensors.items() if name.startswith("model.")}
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".", 2)
            moments.setdefault(int(index), {})[key] = tensor
    try:
        model.load_state_dict(weights)
        # The groups (learning rate, decay) come from the configuration; only the moments from the file.
        optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})
    except (RuntimeError, ValueError) as error:
        raise RunError(
            run / STATE_FILE, "the state of another model", "the model of this experiment", "use --overwrite"
        ) from error
    return progress


def _read(path: Path) -> tuple[dict[str, Tensor], Progress]:
    if not path.exists():
        raise RunError(path, "no saved state", "a run that finished a first part", "start it again with --overwrite")
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
            progress = Progress(**json.loads(file.metadata()["progress"]))
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise RunError(path, f"unreadable state ({error})", "", "start the run again with --overwrite") from error
    return tensors, progress
