"""Time and memory of a piece of work."""

import sys
import time

import numpy as np
import pytest

from regact.engine import measured, memory_bytes, peak_memory_bytes, reset_peak_memory


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
