"""Time and memory of a piece of work."""

import sys
import time

import numpy as np
import pytest

from regact.engine import free_memory_bytes, measured, memory_bytes, peak_memory_bytes, reset_peak_memory, usage


def test_time_of_the_clock_and_of_the_cores():
    with measured() as asleep:
        time.sleep(0.2)
    assert asleep.seconds >= 0.2
    assert asleep.cpu_seconds < 0.1
    with measured() as busy:
        begun = time.process_time()
        while time.process_time() < begun + 0.2:
            pass
    assert 0.2 <= busy.cpu_seconds <= busy.seconds + 0.05


def test_a_failed_block_is_measured_too():
    def fail_after(seconds):
        time.sleep(seconds)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), measured() as usage:
        fail_after(0.05)
    assert usage.seconds >= 0.05


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells memory now from memory before")
def test_the_peak_begins_anew():
    size = 200 * 2**20
    array = np.ones(size, np.uint8)
    assert memory_bytes() > size
    del array
    assert peak_memory_bytes() > size
    after = memory_bytes()
    reset_peak_memory()
    assert peak_memory_bytes() < after + size // 4
    array = np.ones(size // 2, np.uint8)
    assert peak_memory_bytes() >= after + array.nbytes * 0.9


def test_free_memory_is_what_the_system_or_the_container_has_left(tmp_path, monkeypatch):
    meminfo, cgroup = tmp_path / "meminfo", tmp_path / "cgroup"
    cgroup.mkdir()
    meminfo.write_text("MemTotal: 900 kB\nMemAvailable: 500 kB\n")
    monkeypatch.setattr(usage, "_MEMINFO", meminfo)
    monkeypatch.setattr(usage, "_CGROUP", cgroup)
    assert free_memory_bytes() == 500 * 1024
    (cgroup / "memory.current").write_text("300000\n")
    (cgroup / "memory.stat").write_text("anon 1\ninactive_file 50000\n")
    for limit, expected in (("max", 500 * 1024), ("400000", 150_000), ("9000000", 500 * 1024)):
        (cgroup / "memory.max").write_text(limit)
        assert free_memory_bytes() == expected
    meminfo.unlink()
    (cgroup / "memory.max").unlink()
    assert free_memory_bytes() > 2**20  # all that the machine has
