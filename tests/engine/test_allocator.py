"""Freed memory stays with the process where the C library can be told so."""

import os
import subprocess
import sys

import pytest

# Large arrays made and freed again and again: how many pages the system had to hand out meanwhile, in megabytes.
HANDED_OUT = """
import resource, sys
import numpy as np
from regact.engine import keep_freed_memory

kept = keep_freed_memory() if sys.argv[1] == "keep" else None
np.ones(2**23)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    np.ones(2**23)
print(kept, (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) * resource.getpagesize() / 2**20)
"""


def handed_out(what, **environment):
    """(what `keep_freed_memory` returned, MB) of a process of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    # Huge pages would be handed out 2 MB at a time, and say nothing about how much.
    command = [sys.executable, "-c", HANDED_OUT, what]
    run = subprocess.run(
        command, env=clean | environment | {"NUMPY_MADVISE_HUGEPAGE": "0"}, capture_output=True, text=True, check=True
    )
    kept, megabytes = run.stdout.split()
    return kept, float(megabytes)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc only")
def test_large_arrays_are_made_of_what_was_freed():
    kept, megabytes = handed_out("keep")
    if kept != "True":
        pytest.skip("this C library has no mallopt")
    assert megabytes < 64
    assert handed_out("leave") > ("None", 640)  # 20 arrays of 64 MB


@pytest.mark.skipif(sys.platform != "linux", reason="glibc only")
def test_who_sets_malloc_is_not_overruled():
    assert handed_out("keep", MALLOC_ARENA_MAX="2")[0] == "False"
