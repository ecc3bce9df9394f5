"""Run a command of regact; at its end write how much time its cores took, and the most memory that it had."""

import json
import sys
import time
from pathlib import Path

from regact.cli.app import main
from regact.engine import peak_memory_bytes

if __name__ == "__main__":
    report, *arguments = sys.argv[1:]
    try:
        main(arguments)
    finally:
        found = {"cpu_seconds": time.process_time(), "ram_bytes": peak_memory_bytes()}
        Path(report).write_text(json.dumps(found))
