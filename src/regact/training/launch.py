"""Who starts the processes of a run on several devices, and how many there are: read from the environment.

| started by | known by | what starts the processes |
| --- | --- | --- |
| torchrun | RANK, LOCAL_RANK, WORLD_SIZE | `torchrun --nproc-per-node 4 --no-python regact train ...`, on every node |
| SLURM | SLURM_STEP_NUM_TASKS above 1 | `srun --nodes 2 --ntasks-per-node 4 regact train ...` |
| regact | neither | `regact train --devices 4 ...`: the command runs itself once more for each further device |
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from regact.errors import DeviceError


@dataclass(frozen=True)
class Launch:
    """The processes of a run: one for each device."""

    by: Literal["regact", "torchrun", "SLURM"]
    per_node: int
    nodes: int = 1

    @property
    def processes(self) -> int:
        """How many there are in all."""
        return self.per_node * self.nodes


def find_launch(environment: Mapping[str, str], devices: int | None = None) -> Launch:
    """How the processes of this run are started; `devices` is what the user asked for on each machine, if anything.

    A batch script that SLURM runs without `srun` is a single process, whatever the job has reserved; so is a step of
    one task: there `devices` starts the others, as on any machine.

    Raises:
        ValueError: `devices` is below 1.
        DeviceError: torchrun or SLURM started another number of processes than `devices`, or they lie unevenly on the
            machines, or a variable is no number.
    """
    if devices is not None and devices < 1:
        raise ValueError(f"devices is {devices}; needed 1 or more")
    launch = _find_torchrun(environment) or _find_slurm(environment)
    if launch is None:
        return Launch("regact", devices or 1)
    if devices not in (None, launch.per_node):
        raise DeviceError(
            f"--devices {devices}",
            f"{launch.by} has started {launch.per_node} processes on this machine",
            "one for each device",
            "leave --devices out, or start as many",
        )
    return launch


def _find_torchrun(environment: Mapping[str, str]) -> Launch | None:
    if not {"RANK", "LOCAL_RANK", "WORLD_SIZE"} <= environment.keys():
        return None
    world = _number(environment, "WORLD_SIZE")
    per_node = _number(environment, "LOCAL_WORLD_SIZE") if "LOCAL_WORLD_SIZE" in environment else world
    return _spread_evenly("torchrun", world, per_node, world // max(1, per_node))


def _find_slurm(environment: Mapping[str, str]) -> Launch | None:
    # Of the step, which only srun sets: SLURM_NTASKS is there in a batch script as well, which runs once.
    tasks = _number(environment, "SLURM_STEP_NUM_TASKS") if "SLURM_STEP_NUM_TASKS" in environment else 1
    if tasks == 1:
        return None
    nodes = _number(environment, "SLURM_STEP_NUM_NODES") if "SLURM_STEP_NUM_NODES" in environment else 1
    return _spread_evenly("SLURM", tasks, tasks // max(1, nodes), nodes)


def _spread_evenly(by: Literal["torchrun", "SLURM"], processes: int, per_node: int, nodes: int) -> Launch:
    if per_node < 1 or per_node * nodes != processes:
        raise DeviceError(by, f"{processes} processes on {max(1, nodes)} machines", "as many on each machine")
    return Launch(by, per_node, nodes)


def _number(environment: Mapping[str, str], name: str) -> int:
    try:
        return int(environment[name])
    except ValueError:
        raise DeviceError(f"environment variable {name}", repr(environment[name]), "a whole number") from None
