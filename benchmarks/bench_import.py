"""Public data at full width: import, audit, loader and evaluation of 4,229 tracks, their time, disk and memory.

    python benchmarks/bench_import.py [--windows 200] [--tracks 4229] [--folder FOLDER]

Writes a Basenji data directory of drawn windows (as bench_loader draws them; 131,072 bp, 1,024 bins, ZLIB, 25 records a
file) and the HDF5 of 2018's layout with the same, then runs the commands that a user does: import by one process and by
two, audit, an epoch of the loader, one training step of a small network with its validation, and its evaluation. A
command's memory is the largest sum of proportional shares (PSS) over its processes, sampled every 50 ms; its time
has the start of Python in it, but for unpacking and loading. Import stands beside bare unpacking: zlib alone on the
same files. The last column is the straight line through nothing to the 14,533 windows of the paper. The last lines are
for RESULTS.md.
"""

import argparse
import datetime
import json
import platform
import resource
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from bench_build import family
from bench_loader import ASSAYS, N_BINS, WINDOW_BP, draw_window

from regact.engine import masked_crc32c

PAPER_WINDOWS = 14_533
PER_FILE = 25
BIN_BP = WINDOW_BP // N_BINS
SPLITS = (("train", 0.1), ("valid", 0.1), ("test", 0.8))  # most are judged: evaluation is what is measured


SECONDS = "seconds "
UNPACK = """
import sys, time, zlib
from pathlib import Path
started = time.perf_counter()
for file in Path(sys.argv[1]).glob("tfrecords/*.tfr"):
    stream = zlib.decompressobj()
    with file.open("rb") as raw:
        while piece := raw.read(2**20):
            stream.decompress(piece)
print("seconds", time.perf_counter() - started)
"""
LOAD = """
import sys, time
import regact
from regact.dataset.loader import Loader
if __name__ == "__main__":
    store = regact.open_store(sys.argv[1])
    with Loader(store, store.open_genome(), "test", batch_size=4, workers=int(sys.argv[2])) as loader:
        for epoch in range(2):  # the first starts the workers
            started = time.perf_counter()
            for _ in loader.epoch(epoch):
                pass
    print("seconds", time.perf_counter() - started)
"""
EXPERIMENT = """
name: width
source: {{format: basenji, directory: {data}}}
store: {store}
model: {{preset: standard, width: 0.02}}  # costs little beside its 4,229 outputs
training: {{max_steps: 1, batch_size: 2}}
"""


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock and of processor, and peak memory of a step, and how many windows it works on."""

    windows: int
    seconds: float
    cpu_seconds: float
    peak_mb: float


def draw_windows(n: int, n_tracks: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Split, codes and targets of each window."""
    rng = np.random.default_rng(0)
    for split, share in SPLITS:
        for _ in range(round(n * share)):
            yield split, rng.integers(0, 4, WINDOW_BP).astype(np.uint8), draw_window(rng, N_BINS, n_tracks)


def varint(value: int) -> bytes:
    """A number of the wire format."""
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def bytes_field(number: int, content: bytes) -> bytes:
    """A field of bytes of the wire format."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def example(features: dict[str, bytes]) -> bytes:
    """A tf.train.Example of byte strings, framed as a record."""
    entries = b"".join(
        bytes_field(1, bytes_field(1, name.encode()) + bytes_field(2, bytes_field(1, bytes_field(1, value))))
        for name, value in features.items()
    )
    record = bytes_field(1, entries)
    length = struct.pack("<Q", len(record))
    return b"".join(
        (length, struct.pack("<I", masked_crc32c(length)), record, struct.pack("<I", masked_crc32c(record)))
    )


def write_directory(folder: Path, n: int, n_tracks: int) -> Path:
    """The data directory."""
    (folder / "tfrecords").mkdir(parents=True)
    counts: dict[str, int] = {}
    lines, stream, out = [], None, None
    for number, (split, codes, targets) in enumerate(draw_windows(n, n_tracks)):
        first = counts.get(split, 0)
        if first % PER_FILE == 0:
            close(stream, out)
            stream = zlib.compressobj()
            out = (folder / "tfrecords" / f"{split}-{first // PER_FILE}.tfr").open("wb")
        record = example({"sequence": codes.tobytes(), "target": targets.astype("<f2").tobytes()})
        out.write(stream.compress(record))
        counts[split] = first + 1
        lines.append(f"chr1\t{number * 2 * WINDOW_BP}\t{(number * 2 + 1) * WINDOW_BP}\t{split}\n")
    close(stream, out)
    (folder / "sequences.bed").write_text("".join(lines))
    statistics = {"num_targets": n_tracks, "seq_length": WINDOW_BP, "seq_1hot": True, "pool_width": BIN_BP}
    statistics |= {"crop_bp": 0, "target_length": N_BINS, **{f"{name}_seqs": count for name, count in counts.items()}}
    (folder / "statistics.json").write_text(json.dumps(statistics))
    rows = [f"{i}\ttrack{i}\tnone.bw\t384\t{label}:drawn\n" for i, label in enumerate(assays(n_tracks))]
    (folder / "targets.txt").write_text("\tidentifier\tfile\tclip\tdescription\n" + "".join(rows))
    return folder


def close(stream: Any, out: Any) -> None:
    """End a compressed file, if there is one."""
    if stream is not None:
        out.write(stream.flush())
        out.close()


def assays(n_tracks: int) -> list[str]:
    """The kind of each track."""
    return [assay for assay, count in ASSAYS for _ in range(count)][:n_tracks]


def write_h5(path: Path, n: int, n_tracks: int) -> Path:
    """The same windows as the HDF5 of 2018, targets compressed in chunks that h5py chooses."""
    with h5py.File(path, "w") as file:
        file["pool_width"] = BIN_BP
        file["target_ids"] = np.array([f"track{i}" for i in range(n_tracks)], "S")
        file["target_labels"] = np.array([f"{assay}:drawn" for assay in assays(n_tracks)], "S")
        sizes = {split: round(n * share) for split, share in SPLITS}
        for split, count in sizes.items():
            file.create_dataset(f"{split}_in", (count, WINDOW_BP, 4), bool)
            file.create_dataset(f"{split}_out", (count, N_BINS, n_tracks), "f2")
            file.create_dataset(f"{split}_na", (count, N_BINS), bool)
        places = dict.fromkeys(sizes, 0)
        for split, codes, targets in draw_windows(n, n_tracks):
            row = places[split]
            file[f"{split}_in"][row] = codes[:, None] == np.arange(4)
            file[f"{split}_out"][row] = targets
            places[split] = row + 1
    return path


def cost_of(windows: int, command: list[str | Path]) -> Cost:
    """What a command costs; some say themselves how long their work took, without the start of Python."""
    started, peak, used = time.perf_counter(), 0.0, children_seconds()
    with subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while process.poll() is None:
            peak = max(peak, sum(share_mb(pid) for pid in family(process.pid)))
            time.sleep(0.05)
        seconds = time.perf_counter() - started
        said, problems = process.communicate()
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed: {problems}")
    if said.startswith(SECONDS):
        seconds = float(said.removeprefix(SECONDS))
    return Cost(windows, seconds, children_seconds() - used, peak)


def children_seconds() -> float:
    """Processor seconds of all processes that this one has waited for, and theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def share_mb(pid: int) -> float:
    """A process's proportional share of memory."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1e3 for line in lines if line.startswith("Pss:")), 0.0)


def measure(inputs: Path, folder: Path, n: int, n_tracks: int) -> dict[str, Cost]:
    """What each step costs; the data are written to `inputs` where they are not there."""
    data, h5 = inputs / "data", inputs / "data.h5"
    if not data.exists():
        write_directory(data, n, n_tracks)
    if not h5.exists():
        write_h5(h5, n, n_tracks)
    store, run, judged = folder / "store", folder / "run", round(n * SPLITS[-1][1])
    experiment = folder / "experiment.yaml"
    experiment.write_text(EXPERIMENT.format(data=data, store=store))
    print(f"TFRecords {size_gb(data):.3f} GB, HDF5 {size_gb(h5):.3f} GB", flush=True)
    program = [sys.executable, "-c"]
    regact = [Path(sys.executable).with_name("regact")]
    imports: list[str | Path] = [*regact, "dataset", "import-basenji", data]
    steps: dict[str, tuple[int, list[str | Path]]] = {
        "zlib alone": (n, [*program, UNPACK, data]),
        "import of TFRecords, 1 process": (n, [*imports, folder / "store1", "--workers", "1"]),
        "import of TFRecords, 2 processes": (n, [*imports, store, "--workers", "2"]),
        "import of HDF5, 2 processes": (
            n,
            [*regact, "dataset", "import-basenji-h5", h5, folder / "store3", "--workers", "2"],
        ),
        "audit": (n, [*regact, "dataset", "audit", store, "--workers", "1"]),
        "loader, no workers": (judged, [*program, LOAD, store, "0"]),
        "loader, 2 workers": (judged, [*program, LOAD, store, "2"]),
        "a training step and validation": (n - judged, [*regact, "train", experiment, "--out", run]),
        "evaluation": (judged, [*regact, "evaluate", run, "--split", "test", "--no-baseline"]),
    }
    costs = {}
    for name, (windows, command) in steps.items():
        costs[name] = cost_of(windows, command)
        print(name, costs[name], flush=True)
    raw = n * N_BINS * n_tracks * 2 / 1e9
    print(f"store {size_gb(store):.3f} GB of {raw:.3f}; at 14,533 windows {size_gb(store) * PAPER_WINDOWS / n:.0f} GB")
    return costs


def size_gb(path: Path) -> float:
    """Bytes of a file, or of all in a folder."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files) / 1e9


def machine() -> str:
    """The processor's name."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())


def main() -> None:
    """Measure, and print rows for RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=int, default=200)
    parser.add_argument("--tracks", type=int, default=4_229)
    parser.add_argument("--folder", type=Path, help="keeps the drawn data for the next time; 3 GB at full width")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        inputs = (arguments.folder or Path(folder)).resolve()
        costs = measure(inputs, Path(folder).resolve(), arguments.windows, arguments.tracks)
    bare = costs["zlib alone"].cpu_seconds
    print(f"\n{machine()}, {datetime.date.today()}: {arguments.windows} windows x {arguments.tracks} tracks")
    print("| step | windows | s | CPU s | to zlib alone | peak MB | at 14,533 windows: h | CPU h |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, cost in costs.items():
        compared = f"{cost.cpu_seconds / bare:.1f}" if "import" in name else ""
        hours = [f"{spent * PAPER_WINDOWS / cost.windows / 3600:.2f}" for spent in (cost.seconds, cost.cpu_seconds)]
        times = (f"{cost.seconds:.1f}", f"{cost.cpu_seconds:.1f}")
        print(f"| {' | '.join((name, str(cost.windows), *times, compared, f'{cost.peak_mb:.0f}', *hours))} |")


if __name__ == "__main__":
    main()
