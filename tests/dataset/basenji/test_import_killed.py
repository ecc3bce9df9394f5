"""An import that is killed with SIGKILL goes on where it was, and ends as if nothing had happened."""

import os
import signal
import subprocess
import sys
import time

import pytest

from regact.dataset import open_store
from regact.dataset.basenji import import_basenji

PROGRAM = """
import sys
from regact.dataset.basenji import import_basenji, run

if __name__ == "__main__":
    run.BYTES_PER_WORKER = 1
    import_basenji(sys.argv[1], sys.argv[2], workers=int(sys.argv[3]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_import_ends_as_an_uninterrupted_one(write_directory, tmp_path, workers):
    made = write_directory(tmp_path / "data", labels=("train",) * 240 + ("test",) * 6, per_file=3, unmappable=True)
    whole = import_basenji(made.path, tmp_path / "whole", workers=1)
    work = tmp_path / "store.partial" / "build"
    (tmp_path / "program.py").write_text(PROGRAM)
    arguments = [sys.executable, tmp_path / "program.py", made.path, tmp_path / "store"]

    process = subprocess.Popen([*arguments, str(workers)], start_new_session=True)
    end = time.monotonic() + 120
    while len(list(work.glob("part_*.npz"))) < 5:
        assert process.poll() is None, "the import ended before it could be killed"
        assert time.monotonic() < end, "the import did not get there"
        time.sleep(0.0005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "store").exists()

    # What is done must not be read again: spoil its file behind the import's back.
    done = sorted(work.glob("part_*.npz"))
    assert len(done) < 80
    shards = [
        made.path / "tfrecords" / f"{label}-{n}.tfr"
        for label, count in (("test", 2), ("train", 80))
        for n in range(count)
    ]
    for part in done:
        shard = shards[int(part.stem.removeprefix("part_"))]
        if not shard.name.endswith("-0.tfr"):  # first files are counted anew
            times = shard.stat()
            shard.write_bytes(bytes(times.st_size))
            os.utime(shard, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert subprocess.run([*arguments, "1"], timeout=300).returncode == 0
    assert open_store(tmp_path / "store").fingerprint == whole.fingerprint
    assert sorted(path.name for path in tmp_path.iterdir() if "store" in path.name) == ["store"]
