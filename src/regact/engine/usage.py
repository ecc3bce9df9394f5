"""What a piece of work takes of the machine: time by the clock, time of its cores, memory; and what memory is left."""

import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_MEMINFO, _CGROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")


@dataclass
class Usage:
    """Filled when the block of `measured` ends: seconds by the clock, and of all cores that this process kept busy."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0


@contextmanager
def measured() -> Iterator[Usage]:
    """Yield what is filled in with the time of the block when it ends."""
    usage = Usage()
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        yield usage
    finally:
        usage.seconds, usage.cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu


def memory_bytes() -> int:
    """Resident memory of this process now; on systems that do not say, the most it ever was."""
    return _status("VmRSS") or _largest_ever()


def peak_memory_bytes() -> int:
    """The most resident memory that this process has had, since the last `reset_peak_memory` where that works."""
    # Not ru_maxrss on Linux: a process that was started by another inherits that one's.
    return _status("VmHWM") or _largest_ever()


def reset_peak_memory() -> None:
    """Let `peak_memory_bytes` begin anew, where the system can (Linux)."""
    with suppress(OSError):
        _CLEAR.write_text("5")


def free_memory_bytes() -> int:
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


def _status(name: str) -> int:
    with suppress(OSError):
        for line in _STATUS.read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    return 0


def _largest_ever() -> int:
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024  # macOS counts bytes, others kilobytes
