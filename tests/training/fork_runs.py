"""Run by test_kill.py: trains an experiment in forked processes, which have all imports and may be killed at any time.

Each line on stdin is a JSON object {"out", "settings", "kill_after", "die_at"}: a training in `out` that goes on with
what is there. The answer on stdout is "ended STATUS", minus the signal where it was killed: after `kill_after` seconds,
or, with `die_at`, by itself at that operation on a file, counted from 1: a write (half of it done), a sync, a move
(before it, after it). Of a training that may live the number of these operations is left in `out`.operations.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from regact.experiment import load_experiment, train_experiment


class Operations:
    """Counts operations on files, and dies at one of them."""

    def __init__(self, die_at: int | None) -> None:
        self.done, self.die_at = 0, die_at
        write, sync, move = Path.write_bytes, os.fsync, Path.replace

        def half_written(path: Path, data: bytes) -> int:
            self.next(lambda: write(path, data[: len(data) // 2]))
            return write(path, data)

        def synced(descriptor: int) -> None:
            self.next()
            sync(descriptor)

        def moved(path: Path, target: Path) -> Path:
            self.next()
            there = move(path, target)
            self.next()
            return there

        Path.write_bytes, os.fsync, Path.replace = half_written, synced, moved

    def next(self, last_deed: Callable[[], object] = lambda: None) -> None:
        """Count one more operation, the last one where it is time to die."""
        self.done += 1
        if self.done == self.die_at:
            last_deed()
            os.kill(os.getpid(), signal.SIGKILL)


def train(yaml: str, out: Path, settings: list[str], die_at: int | None) -> None:
    """Train in this process."""
    operations = Operations(die_at)
    train_experiment(load_experiment(yaml, overrides=settings), out, device="cpu", resume=True)
    if die_at is None:
        out.with_suffix(".operations").write_text(str(operations.done))


def main() -> None:
    """Serve one request after the other."""
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if pid == 0:
            train(sys.argv[1], Path(request["out"]), request["settings"], request["die_at"])
            os._exit(0)
        if request["kill_after"] is not None:
            time.sleep(request["kill_after"])
            os.kill(pid, signal.SIGKILL)  # ended or not, its id is its own until it is waited for
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        sys.stdout.write(f"ended {status}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
