"""Run a command of regact; at its end write what it and its processes took: time of the cores, and most memory.

Memory is added up over processes, each at its highest, as the system has it (VmHWM; `ru_maxrss` of a child that was
started from here would be this one's at that moment, if not more).
"""

import json
import re
import resource
import sys
import time
from pathlib import Path
from threading import Event, Thread

from regact.cli.app import main
from regact.engine import peak_memory_bytes


class Children:
    """The most memory of each process that this one starts, looked up again and again."""

    def __init__(self):
        self.highest: dict[str, int] = {}
        self.ended = Event()
        self.thread = Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self):
        while not self.ended.wait(0.05):
            for listed in Path("/proc/self/task").glob("*/children"):
                for child in self.read(listed).split():
                    if found := re.search(r"VmHWM:\s+(\d+) kB", self.read(Path("/proc") / child / "status")):
                        self.highest[child] = 1024 * int(found[1])

    def read(self, path):
        try:
            return path.read_text()
        except OSError:  # it has ended
            return ""

    def total(self):
        self.ended.set()
        self.thread.join()
        return sum(self.highest.values())


if __name__ == "__main__":
    report, *arguments = sys.argv[1:]
    children = Children()
    try:
        main(arguments)
    finally:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        found = {
            "cpu_seconds": time.process_time() + usage.ru_utime + usage.ru_stime,
            "ram_bytes": peak_memory_bytes() + children.total(),
        }
        Path(report).write_text(json.dumps(found))
