"""The device a run works on, opened through Lightning Fabric (one process, one device)."""

import re
import warnings
from typing import Literal

import torch
from lightning_fabric import Fabric

from regact.errors import DeviceError

_FABRIC_PRECISION: dict[str, Literal["32-true", "bf16-mixed"]] = {"float32": "32-true", "bfloat16": "bf16-mixed"}


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


def open_fabric(device: str = "auto", precision: str = "float32") -> Fabric:
    """Return the Fabric that places model, optimizer and precision on the chosen device.

    Raises:
        DeviceError: as `choose_device`.
    """
    chosen = choose_device(device)
    with warnings.catch_warnings():
        # Fabric advises on SLURM, on the number of CPUs, ...; what matters to the user stands in the card.
        warnings.simplefilter("ignore")
        return Fabric(
            accelerator=chosen.type,
            devices=[chosen.index] if chosen.type == "cuda" else 1,
            precision=_FABRIC_PRECISION[precision],
        )
