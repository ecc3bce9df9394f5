"""Memory that a process has freed, kept for its next large arrays."""

import ctypes
import os
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD of malloc.h
_NEVER = -1
_LARGEST_KEPT = 2**30


def keep_freed_memory() -> bool:
    """Let the C library keep freed arrays of up to 1 GB for this process; return whether it does (glibc on Linux).

    By itself it gives arrays of megabytes back to the system and gets them again page by page, zeroed: with the
    activations of every training step on a CPU, that is a quarter to half of the step's time (`bench_allocator`). The
    price is that the process keeps what it needed at most, a third more than before at paper length, until it ends.
    Whoever sets one of malloc's own variables (`MALLOC_TRIM_THRESHOLD_`, `MALLOC_MMAP_THRESHOLD_`) is not overruled.
    """
    if sys.platform != "linux" or any(name.startswith("MALLOC_") for name in os.environ):
        return False
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # musl has none
        return False
    return bool(set_option(_MMAP_THRESHOLD, _LARGEST_KEPT) and set_option(_TRIM_THRESHOLD, _NEVER))
