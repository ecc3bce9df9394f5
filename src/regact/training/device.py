"""The devices a run works on, opened through Lightning Fabric: one process for each."""

import inspect
import logging
import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy
from lightning_fabric.utilities.rank_zero import rank_zero_only
from torch.nn.parallel import DistributedDataParallel

from regact.engine import available_cores
from regact.errors import DeviceError
from regact.training.launch import Launch, find_launch

_FABRIC_PRECISION: dict[str, Literal["32-true", "bf16-mixed"]] = {"float32": "32-true", "bfloat16": "bf16-mixed"}
# What tells DDP not to send buffers around in every forward pass. Batch norm's statistics, the only ones, are the same
# everywhere (shared_batch_norm.py), and in validation not all processes have as many batches.
_SYNC_BUFFERS = (
    "forward_sync_buffers"
    if "forward_sync_buffers" in inspect.signature(DistributedDataParallel).parameters
    else "broadcast_buffers"  # the same before torch 2.13
)
_DDP: dict[str, Any] = {_SYNC_BUFFERS: False, "gradient_as_bucket_view": True}
_MOST_READERS = 4  # for a device; each takes memory of its own


class _ThisMachine(LightningEnvironment):
    """Processes that regact starts itself meet on this machine, whatever MASTER_ADDR a job or shell has left behind."""

    @property
    def main_address(self) -> str:
        return "127.0.0.1"


_ENVIRONMENTS: dict[str, type[ClusterEnvironment]] = {
    "regact": _ThisMachine,
    "torchrun": TorchElasticEnvironment,
    "SLURM": SLURMEnvironment,
}


def choose_device(device: str = "auto") -> torch.device:
    """Return the device asked for (cpu, cuda, cuda:N or mps), or for "auto" the fastest that this machine has.

    Raises:
        DeviceError: no device has this name, or this machine (or this build of torch) has none such.
    """
    n_cuda = torch.cuda.device_count() if torch.cuda.is_available() else 0
    present = [f"cuda:{index}" for index in range(n_cuda)]
    present += ["mps"] * torch.backends.mps.is_available() + ["cpu"]
    chosen = {"auto": present[0], "cuda": "cuda:0"}.get(device, device)
    if not re.fullmatch(r"cpu|mps|cuda:\d+", chosen):
        raise DeviceError(f"--device {device}", "no such device", "auto, cpu, cuda, cuda:N or mps")
    if chosen not in present:
        raise DeviceError(
            f"--device {device}",
            f"torch {torch.__version__} finds no such device here",
            f"one of {', '.join(present)}",
            "use --device auto",
        )
    return torch.device(chosen)


def open_fabric(
    device: str = "auto", precision: str = "float32", *, devices: int | None = None, some_frozen: bool = False
) -> Fabric:
    """Return the Fabric that places model, optimizer and precision on the chosen device, or on several of its kind.

    With several, `launch` is to be called next. `devices` is their number on each machine; without it, as many
    as torchrun or SLURM have started processes (`launch.py`), else one.

    Args:
        some_frozen: Some parameters will get no gradient in some steps; several devices have to look out for that.

    Raises:
        DeviceError: as `choose_device` and `find_launch`; this machine has fewer devices.
    """
    chosen = choose_device(device)
    launch = find_launch(os.environ, devices)
    with _quiet_fabric():
        if launch.processes == 1:
            return Fabric(
                accelerator=chosen.type,
                devices=[chosen.index] if chosen.type == "cuda" else 1,
                precision=_FABRIC_PRECISION[precision],
            )
        _check_several(device, chosen, launch)
        return Fabric(
            accelerator=chosen.type,
            devices=launch.per_node,
            num_nodes=launch.nodes,
            strategy=DDPStrategy(**_DDP, find_unused_parameters=some_frozen),
            precision=_FABRIC_PRECISION[precision],
            plugins=[_open_environment(launch)],
        )


def launch(fabric: Fabric) -> None:
    """Let the processes of several devices come together; those that nobody else starts are started here."""
    with _quiet_fabric():
        fabric.launch()


@contextmanager
def _quiet_fabric() -> Iterator[None]:
    """Within the block Fabric tells nothing of SLURM, CPUs, precision, processes; what matters stands in the card."""
    logger = logging.getLogger("lightning_fabric")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


@contextmanager
def quiet_gradients() -> Iterator[None]:
    """Within the block DDP does not warn that it copies gradients: convolutions make theirs channels-last."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Grad strides do not match bucket view strides")
        yield


def choose_readers(workers: int | None, device: torch.device, devices: int = 1) -> int:
    """Processes that read ahead for each device: the number asked for, else one that suits the device.

    A CPU computes with all its cores and would wait for itself; an accelerator takes batches faster than one core
    reads them. It gets up to four of the cores, of which each of the `devices` that share them leaves one to the
    process that feeds it.
    """
    if workers is not None:
        return workers
    return 0 if device.type == "cpu" else max(1, min(_MOST_READERS, available_cores() // devices - 1))


def is_first_process() -> bool:
    """Whether this is the process that writes and prints, of all that train together."""
    return getattr(rank_zero_only, "rank", 0) == 0


def _check_several(asked: str, chosen: torch.device, launch: Launch) -> None:
    where = f"--device {asked}, {launch.per_node} processes on this machine"
    if launch.by == "regact" and not Path(sys.argv[0]).is_file():
        raise DeviceError(where, "a program that is no file", "a script or the command, to be run once for each device")
    if chosen.type == "mps" or ":" in asked:
        raise DeviceError(where, "one device", "cuda or cpu without a number", "choose which with CUDA_VISIBLE_DEVICES")
    if chosen.type == "cuda" and torch.cuda.device_count() < launch.per_node:
        hint = "; under SLURM give a node's GPUs to all its tasks: --gpus-per-node and not --gpus-per-task"
        raise DeviceError(
            where,
            f"{torch.cuda.device_count()} GPUs",
            "a GPU for each",
            "use fewer" + (hint if launch.by == "SLURM" else ""),
        )


def _open_environment(launch: Launch) -> ClusterEnvironment:
    try:
        return _ENVIRONMENTS[launch.by]()
    except RuntimeError as error:  # Fabric's own check of SLURM's variables
        raise DeviceError(launch.by, str(error), "", "start it with srun --ntasks-per-node") from error
