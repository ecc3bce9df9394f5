"""What a machine has left: memory, memory of the device, room on disks, cores."""

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import torch

from regact.engine import available_cores
from regact.training import choose_device

_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


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
    return Machine(str(chosen), available_cores(), _free_ram(), gpu)


def existing_folder(path: Path) -> Path:
    """The nearest folder above `path` that is there."""
    folder = path.absolute()
    while not folder.is_dir():
        folder = folder.parent
    return folder


def _free_ram() -> int:
    """What the system says is available, or the container's share of it where that is less."""
    limits = [limit for limit in (_available(), _left_in_container()) if limit is not None]
    return min(limits) if limits else os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _available() -> int | None:
    with suppress(OSError, ValueError):
        for line in _MEMINFO.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None


def _left_in_container() -> int | None:
    with suppress(OSError, ValueError):  # "max": no limit
        limit, used = (int((_CGROUP / name).read_text()) for name in ("memory.max", "memory.current"))
        files = dict(line.split() for line in (_CGROUP / "memory.stat").read_text().splitlines())
        return limit - used + int(files.get("inactive_file", 0))  # given back when programs need it
    return None
