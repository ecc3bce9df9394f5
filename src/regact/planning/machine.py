"""What a machine has left: memory, memory of the device, room on disks, cores."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import torch

from regact.engine import available_cores, free_memory_bytes
from regact.training import choose_device


@dataclass(frozen=True)
class Machine:
    """What is free on a machine.

    Attributes:
        device: Where models train: cpu, cuda:N or mps.
        cores: Cores that this process may use.
        ram_bytes: Memory that programs may still take.
        gpu_bytes: Memory of the device that is free; None for a device that uses the machine's memory.
        disk_bytes: Room on every disk, where it is said and not to be looked up.
    """

    device: str
    cores: int
    ram_bytes: int
    gpu_bytes: int | None = None
    disk_bytes: int | None = field(default=None)

    def free_disk(self, folder: Path) -> int:
        """Room on the disk that `folder` lies or will lie on."""
        if self.disk_bytes is not None:
            return self.disk_bytes
        return shutil.disk_usage(existing_folder(folder)).free


def find_machine(device: str = "auto") -> Machine:
    """This machine.

    Raises: DeviceError where it has no such device.
    """
    chosen = choose_device(device)
    gpu = torch.cuda.mem_get_info(chosen)[0] if chosen.type == "cuda" else None
    return Machine(str(chosen), available_cores(), free_memory_bytes(), gpu)


def existing_folder(path: Path) -> Path:
    """The nearest folder above `path` that is there."""
    folder = path.absolute()
    while not folder.is_dir():
        folder = folder.parent
    return folder
