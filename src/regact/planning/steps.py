"""A plan: what each step takes, what all of them take together, and what of it the machine does not have."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regact.errors import MachineError
from regact.planning.machine import Machine, existing_folder

_GB = 1e9


@dataclass(frozen=True)
class Step:
    """One step of an experiment.

    Attributes:
        name: What is done.
        seconds: By the clock, on this machine as busy as it is now.
        cpu_seconds: Of all cores together.
        ram_bytes: The most resident memory of its processes, added up.
        gpu_bytes: The most memory of the device that tensors take; None where the device uses the machine's memory.
        disk_bytes: What it leaves.
        passing_bytes: Room that it needs besides, for a time.
        folder: Where it writes.
        basis: What was measured for it, and what was extrapolated.
        at_most: Whether it may end sooner, by `patience`.
    """

    name: str
    seconds: float
    cpu_seconds: float
    ram_bytes: int
    gpu_bytes: int | None
    disk_bytes: int
    passing_bytes: int
    folder: Path
    basis: str
    at_most: bool = False


@dataclass(frozen=True)
class Plan:
    """The steps of an experiment, in their order.

    Attributes:
        name: The experiment's.
        command: train or compare.
        steps: What is to be done.
        machine: What there is to do it with.
        measured_seconds: How long measuring took.
        remarks: What else to know.
    """

    name: str
    command: str
    steps: tuple[Step, ...]
    machine: Machine
    measured_seconds: float
    remarks: tuple[str, ...] = field(default=())

    @property
    def total(self) -> Step:
        """All steps as one: times and disk added up, memory of the largest."""
        gpu = [step.gpu_bytes for step in self.steps if step.gpu_bytes is not None]
        left = sum(step.disk_bytes for step in self.steps)
        return Step(
            name="in all",
            seconds=sum(step.seconds for step in self.steps),
            cpu_seconds=sum(step.cpu_seconds for step in self.steps),
            ram_bytes=max(step.ram_bytes for step in self.steps),
            gpu_bytes=max(gpu, default=None),
            disk_bytes=left,
            passing_bytes=_highest(self.steps) - left,
            folder=Path(),
            basis="",
            at_most=any(step.at_most for step in self.steps),
        )

    @property
    def problems(self) -> tuple[str, ...]:
        """What the machine is too small for, one sentence with both numbers for each; empty where it is not."""
        return tuple(self._problems())

    def check(self) -> None:
        """Raise MachineError, with every shortage, where the machine is too small."""
        if self.problems:
            raise MachineError(f"plan of {self.name}", self.problems)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values; sizes in bytes, times in seconds."""
        steps = [{**vars(step), "folder": str(step.folder)} for step in self.steps]
        total = {name: value for name, value in vars(self.total).items() if name not in ("name", "folder", "basis")}
        return {
            "name": self.name,
            "command": self.command,
            "steps": steps,
            "total": total,
            "machine": vars(self.machine),
            "measured_seconds": self.measured_seconds,
            "remarks": list(self.remarks),
            "problems": list(self.problems),
        }

    def _problems(self) -> Iterator[str]:
        by_need = max(self.steps, key=lambda step: step.ram_bytes)
        if by_need.ram_bytes > self.machine.ram_bytes:
            yield _short("RAM", by_need, by_need.ram_bytes, self.machine.ram_bytes)
        on_gpu = [step for step in self.steps if step.gpu_bytes is not None]
        if on_gpu and self.machine.gpu_bytes is not None:
            largest = max(on_gpu, key=lambda step: step.gpu_bytes or 0)
            if (largest.gpu_bytes or 0) > self.machine.gpu_bytes:
                yield _short(
                    f"memory of {self.machine.device}", largest, largest.gpu_bytes or 0, self.machine.gpu_bytes
                )
        disks: dict[int, list[Step]] = {}
        for step in self.steps:
            disks.setdefault(self._disk_of(step.folder), []).append(step)
        for steps in disks.values():
            free, needed = self.machine.free_disk(steps[0].folder), _highest(steps)
            if needed > free:
                where = existing_folder(steps[0].folder)
                yield (
                    f"{needed / _GB:,.2f} GB of disk needed below {where} ({', '.join(step.name for step in steps)}), "
                    f"{free / _GB:,.2f} GB free"
                )

    def _disk_of(self, folder: Path) -> int:
        # A machine whose room is said has one disk.
        return 0 if self.machine.disk_bytes is not None else existing_folder(folder).stat().st_dev


def _short(what: str, step: Step, needed: int, free: int) -> str:
    return f"{needed / _GB:,.2f} GB of {what} needed to {step.name}, {free / _GB:,.2f} GB free"


def _highest(steps: Sequence[Step]) -> int:
    """The most room that is taken at any time while the steps are done one after the other."""
    left = highest = 0
    for step in steps:
        highest = max(highest, left + step.disk_bytes + step.passing_bytes)
        left += step.disk_bytes
    return highest
