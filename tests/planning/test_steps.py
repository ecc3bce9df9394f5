"""Steps added up, and held against a machine."""

import json

import pytest

from regact.errors import MachineError
from regact.planning import Machine, Plan, Step, find_machine

GB = 10**9


def step(name="train x", folder=".", **numbers):
    values = {
        "seconds": 1.0,
        "cpu_seconds": 2.0,
        "ram_bytes": GB,
        "gpu_bytes": None,
        "disk_bytes": 0,
        "passing_bytes": 0,
    }
    return Step(name=name, folder=folder, basis="", **{**values, **numbers})


def plan(*steps, **machine):
    free = {"device": "cpu", "cores": 2, "ram_bytes": 4 * GB, "gpu_bytes": None, "disk_bytes": 10 * GB} | machine
    return Plan("yeast", "train", steps, Machine(**free), 3.0)


def test_times_and_disk_add_up_and_memory_is_that_of_the_largest(tmp_path):
    found = plan(
        step(folder=tmp_path, disk_bytes=3 * GB, passing_bytes=2 * GB),
        step(folder=tmp_path, ram_bytes=2 * GB, gpu_bytes=GB, disk_bytes=GB, at_most=True),
    ).total
    assert (found.seconds, found.cpu_seconds, found.ram_bytes, found.gpu_bytes) == (2.0, 4.0, 2 * GB, GB)
    # The first needs 5 GB while it works and leaves 3, the second adds one.
    assert (found.disk_bytes, found.passing_bytes) == (4 * GB, GB)
    assert found.at_most


def test_a_machine_that_is_large_enough(tmp_path):
    found = plan(step(folder=tmp_path, gpu_bytes=GB), gpu_bytes=GB)
    assert found.problems == ()
    found.check()


def test_every_shortage_is_told_with_both_numbers(tmp_path):
    steps = (
        step("build the dataset", tmp_path, disk_bytes=8 * GB, passing_bytes=GB),
        step("train wide", tmp_path, ram_bytes=5 * GB, gpu_bytes=3 * GB, disk_bytes=4 * GB),
    )
    with pytest.raises(MachineError) as caught:
        plan(*steps, device="cuda:0", gpu_bytes=2 * GB).check()
    assert caught.value.where == "plan of yeast"
    assert caught.value.problems == (
        "5.00 GB of RAM needed to train wide, 4.00 GB free",
        "3.00 GB of memory of cuda:0 needed to train wide, 2.00 GB free",
        f"12.00 GB of disk needed below {tmp_path} (build the dataset, train wide), 10.00 GB free",
    )


def test_a_disk_is_asked_for_its_own_room(tmp_path):
    steps = step("build", tmp_path / "not" / "yet", disk_bytes=10**18)
    (problem,) = plan(steps, disk_bytes=None).problems
    assert problem.startswith(f"{10**18 / 1e9:,.2f} GB of disk needed below {tmp_path} (build), ")


def test_everything_is_there_as_plain_values(tmp_path):
    found = json.loads(json.dumps(plan(step(folder=tmp_path, ram_bytes=5 * GB)).to_dict()))
    assert found["steps"][0]["ram_bytes"] == found["total"]["ram_bytes"] == 5 * GB
    assert found["machine"]["ram_bytes"] == 4 * GB
    assert found["problems"] == ["5.00 GB of RAM needed to train x, 4.00 GB free"]


def test_this_machine():
    here = find_machine("cpu")
    assert here.device == "cpu"
    assert here.cores >= 1
    assert here.ram_bytes > 0
    assert here.gpu_bytes is None
