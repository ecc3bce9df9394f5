"""A build that is killed with SIGKILL goes on where it was, and ends as if nothing had happened."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from regact.dataset import DatasetConfig, SplitByFraction, build_dataset, open_store
from regact.dataset.parts import STATISTICS

LENGTHS = {"I": 60_000, "II": 30_000}
CONFIG = DatasetConfig(window_bp=1_024, bin_bp=32, split=SplitByFraction(valid=0.2, test=0.2), break_bp=4_096)
# 84 windows; two rounds of three spans each, assembled four windows at a time.
PROGRAM = """
import sys
from pathlib import Path
from regact.dataset import DatasetConfig, build, build_dataset, rounds

if __name__ == "__main__":
    fasta, sheet, out, workers, config = sys.argv[1:]
    rounds.SPAN_BP = 16 * 1024
    rounds.ASSEMBLY_BYTES = 4 * 32 * 60 * 2
    rounds.TEMPORARY_BYTES = 48 * 32 * 60 * 2
    build.BASES_PER_WORKER = 1
    build_dataset(fasta, sheet, DatasetConfig.model_validate_json(config), out, workers=int(workers))
"""


def _start(inputs, out, program, workers):
    program.write_text(PROGRAM)
    arguments = [sys.executable, program, inputs.fasta, inputs.sheet, out, str(workers), CONFIG.model_dump_json()]
    return subprocess.Popen(arguments, start_new_session=True)


def _kill_when(process, reached, seconds=120):
    """SIGKILL the process and its workers as soon as `reached()`."""
    end = time.monotonic() + seconds
    while not reached():
        assert process.poll() is None, f"the build ended with {process.returncode} before it could be killed"
        assert time.monotonic() < end, "the build did not get there"
        time.sleep(0.0005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _values(store):
    return store.read(range(store.n_windows))[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pattern", "count", "workers"),
    [
        ("parts_0/*.f16", 7, 1),  # while it reads
        ("parts_*/*.sha256", 2, 2),  # while it assembles windows
        ("round_*.npz", 1, 1),  # between rounds
    ],
)
def test_a_killed_build_ends_as_an_uninterrupted_one(make_inputs, tmp_path, pattern, count, workers):
    inputs = make_inputs(LENGTHS, n_tracks=60)
    whole = build_dataset(inputs.fasta, inputs.sheet, CONFIG, tmp_path / "whole", workers=1)
    out, work = tmp_path / "store", tmp_path / "store.partial" / "build"
    program = tmp_path / "program.py"

    process = _start(inputs, out, program, workers)
    _kill_when(process, lambda: len(list(work.glob(pattern))) >= count)
    assert process.returncode == -signal.SIGKILL
    assert not out.exists()
    marks = _mark_finished_parts(work)

    again = _start(inputs, out, program, workers=1)  # the number of workers may change
    assert again.wait(timeout=300) == 0
    store = open_store(out)
    unmarked = _values(store)
    for rows, track in marks:
        assert (unmarked[rows.start : rows.stop, :, track] == MARK).all(), "a finished part was read again"
        unmarked[rows.start : rows.stop, :, track] = _values(whole)[rows.start : rows.stop, :, track]
    np.testing.assert_array_equal(unmarked, _values(whole))
    if not marks:
        assert store.fingerprint == whole.fingerprint
    assert sorted(path.name for path in tmp_path.iterdir() if "store" in path.name) == ["store"]


MARK = 12_345.0


def _mark_finished_parts(work):
    """Overwrite the values of finished parts whose windows are not assembled yet: whoever reads them again shows it."""
    marks = []
    for path in sorted(work.glob("parts_*/*.f16")):
        _, track, _, first = path.stem.split("_")
        assembled = {int(done.stem.split("_")[1]) for done in path.parent.glob("*.sha256")}
        n_values = (path.stat().st_size - len(STATISTICS) * 8) // 2
        rows = range(int(first), int(first) + n_values // CONFIG.n_bins)
        if any(row in rows for row in assembled):
            continue
        with path.open("r+b") as part:
            part.write(np.full(n_values, MARK, np.float16).tobytes())
        marks.append((rows, int(track)))
    return marks
