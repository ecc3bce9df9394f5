"""How fast a build reads bigWigs, against the same build reading them base by base through pyBigWig; and its memory.

    python benchmarks/bench_build.py [--mb 32] [--tracks 8] [--repeats 3] [--data FOLDER] [--record]

Speed: `build_dataset` runs in one process as it is, and with its signals exchanged for ones that read every base with
`pyBigWig.values`, put 0 for NaN and sum per bin: `PerBaseLists` as the call is by default, `PerBaseArrays` with
numpy=True, as Basenji's program calls it. Everything else (plan, parts, assembly, compression) is the same code, and
all must give the same fingerprint. They take turns, since a shared machine's speed drifts; ratios are medians over
repeats of the ratios within one. The drawn signals are the hardest case, as files of 1 bp resolution have them:
coverage that changes every 20 bp, and counts at 3 % of bases; there decompression takes most of the time of all. With
REGACT_DATA or --data the worm tracks are built too (arrays only: lists take minutes).

Memory: builds with four times the windows and four times the tracks of a small one, on two processes; the peak of the
resident memory of the whole process tree, sampled every 20 ms.

`--record` appends the rows to RESULTS.md.
"""

import argparse
import datetime
import multiprocessing
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyBigWig
from jaxtyping import Float32, Float64

from regact.dataset import DatasetConfig, SplitByFraction, build, build_dataset, parts
from regact.tracks import Signal, open_signal

RESULTS = Path(__file__).with_name("RESULTS.md")
HEADER = "| benchmark | machine | date | result | ratio to what |\n| --- | --- | --- | --- | --- |\n"
BAR = 5.0
WINDOW_BP = 131_072


class PerBaseArrays(Signal):
    """Every base through pyBigWig as an array, summed by numpy."""

    as_array = True

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._file = pyBigWig.open(str(path))

    @property
    def lengths(self) -> Mapping[str, int | None]:
        return self._file.chroms()

    def bin_sums(self, chrom: str, start: int, end: int, bin_bp: int) -> Float64[np.ndarray, "bin"]:
        # Window by window: longer arrays of bases would not fit the processor's cache.
        step = WINDOW_BP // bin_bp * bin_bp
        places = [(first, min(first + step, end)) for first in range(start, end, step)]
        bases = (np.nan_to_num(self.base_values(chrom, *place), copy=False) for place in places)
        return np.concatenate([values.reshape(-1, bin_bp).sum(axis=1, dtype=np.float64) for values in bases])

    def bin_max(self, chrom: str, start: int, end: int, bin_bp: int) -> Float64[np.ndarray, "bin"]:
        values = self.base_values(chrom, start, end)
        return np.nan_to_num(values, copy=False).reshape(-1, bin_bp).max(axis=1).astype(np.float64)

    def base_values(self, chrom: str, start: int, end: int) -> Float32[np.ndarray, "base"]:
        values = self._file.values(chrom, start, end, numpy=self.as_array)
        return values if self.as_array else np.array(values, dtype=np.float32)

    def close(self) -> None:
        self._file.close()


class PerBaseLists(PerBaseArrays):
    """Every base through pyBigWig as a Python list, which is what `values` gives by default."""

    as_array = False


ALTERNATIVES = {"pyBigWig.values": PerBaseLists, "pyBigWig.values(numpy=True)": PerBaseArrays}


def draw_inputs(folder: Path, mb: int, tracks: int) -> tuple[Path, Path]:
    """A drawn genome of `mb` million bases, and as many bigWigs: half dense coverage, half sparse counts."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    length = mb * 1_000_000
    fasta = folder / "genome.fa"
    fasta.write_bytes(b">chr1\n" + rng.choice(np.frombuffer(b"ACGT", np.uint8), length).tobytes() + b"\n")
    names = [f"track{number}" for number in range(tracks)]
    for number, name in enumerate(names):
        write_track(folder / f"{name}.bw", rng, length, dense=number % 2 == 0)
    sheet = folder / "targets.txt"
    pd.DataFrame({"identifier": names, "file": [f"{name}.bw" for name in names]}).to_csv(sheet, sep="\t", index=False)
    return fasta, sheet


def write_track(path: Path, rng: np.random.Generator, length: int, *, dense: bool) -> None:
    step = 20 if dense else 33
    edges = np.cumsum(rng.integers(1, 2 * step, length // step))
    starts = np.concatenate(([0], edges[edges < length - 1]))
    ends = np.append(starts[1:], length) if dense else starts + 1
    values = rng.poisson(5.0, len(starts)) * 0.37 if dense else rng.poisson(2.0, len(starts)) + 1.0
    with pyBigWig.open(str(path), "w") as file:
        file.addHeader([("chr1", length)])
        for first in range(0, len(starts), 1_000_000):
            rows = slice(first, first + 1_000_000)
            n = len(starts[rows])
            file.addEntries(["chr1"] * n, starts[rows], ends=ends[rows], values=values[rows].astype(float))


def seconds_to_build(fasta: Path, sheet: Path, config: DatasetConfig, out: Path, reader: type) -> tuple[float, str]:
    """Seconds that the build takes in this process with signals opened by `reader`, and the store's fingerprint."""
    parts._open_signals.cache_clear()
    before, parts.open_signal = parts.open_signal, reader
    try:
        started = time.perf_counter()
        store = build_dataset(fasta, sheet, config, out, workers=1)
        return time.perf_counter() - started, store.fingerprint
    finally:
        parts.open_signal = before
        shutil.rmtree(out)


def compare_speed(
    fasta: Path,
    sheet: Path,
    config: DatasetConfig,
    out: Path,
    repeats: int,
    what: str,
    alternatives: Mapping[str, type],
) -> str:
    """The row of one comparison."""
    readers = {"regact": open_signal, **alternatives}
    seconds: dict[str, list[float]] = {name: [] for name in readers}
    fingerprints = set()
    for _ in range(repeats + 1):
        for name, reader in readers.items():
            taken, fingerprint = seconds_to_build(fasta, sheet, config, out, reader)
            seconds[name].append(taken)
            fingerprints.add(fingerprint)
    if len(fingerprints) != 1:
        raise SystemExit(f"the ways of {what} gave different stores")
    taken = {name: np.array(values[1:]) for name, values in seconds.items()}  # the first fills the page cache
    result = ", ".join(f"{name} {np.median(values):.2f} s" for name, values in taken.items())
    ratios = ", ".join(f"{np.median(taken[name] / taken['regact']):.1f} x {name}" for name in alternatives)
    return row("bench_build speed", f"{what}: {result}", f"{ratios} (bar {BAR:g} x per-base reading)")


def peak_memory(fasta: Path, sheet: Path, config: DatasetConfig, out: Path) -> float:
    """Peak resident memory in MB of a build on two processes, all processes together."""
    process = multiprocessing.get_context("spawn").Process(target=build_on_two, args=(fasta, sheet, config, out))
    process.start()
    peak = 0.0
    while process.is_alive():
        peak = max(peak, sum(resident_mb(pid) for pid in family(process.pid or 0)))
        time.sleep(0.02)
    if process.exitcode:
        raise SystemExit("the build failed")
    return peak


def build_on_two(fasta: Path, sheet: Path, config: DatasetConfig, out: Path) -> None:
    build.BASES_PER_WORKER = 1
    build_dataset(fasta, sheet, config, out, workers=2, overwrite=True)


def family(pid: int) -> list[int]:
    """The process and all below it."""
    try:
        tasks = Path(f"/proc/{pid}/task").iterdir()
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []
    return [pid, *(member for child in children for member in family(child))]


def resident_mb(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return 0.0


def compare_memory(folder: Path, config: DatasetConfig, mb: int, tracks: int) -> str:
    """The row of peak memory: a build, one of four times the windows, one of four times the tracks."""
    sizes = {"base": (mb, tracks), "4 x windows": (4 * mb, tracks), "4 x tracks": (mb, 4 * tracks)}
    peaks = {}
    for number, (name, size) in enumerate(sizes.items()):
        fasta, sheet = draw_inputs(folder / f"memory{number}", *size)
        build_dataset(fasta, sheet, config, folder / "warm", workers=1, overwrite=True)  # leaves the code file
        peaks[name] = peak_memory(fasta, sheet, config, folder / "store")
    result = ", ".join(f"{name} {peak:.0f} MB" for name, peak in peaks.items())
    ratio = ", ".join(f"{peaks[name] / peaks['base']:.2f} ({name})" for name in list(peaks)[1:])
    return row("bench_build peak memory, 2 processes", f"{mb} Mb x {tracks} tracks: {result}", f"{ratio} x base")


def row(benchmark: str, result: str, ratio: str) -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    machine = f"{cpu}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    return f"| {benchmark} | {machine} | {datetime.date.today()} | {result} | {ratio} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=int, default=32, help="length of the drawn genome in million bases")
    parser.add_argument("--tracks", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--data", type=Path, default=os.environ.get("REGACT_DATA"), help="folder of real data")
    parser.add_argument("--record", action="store_true", help="append the rows to RESULTS.md")
    arguments = parser.parse_args()
    config = DatasetConfig(window_bp=WINDOW_BP, split=SplitByFraction())
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fasta, sheet = draw_inputs(folder / "inputs", arguments.mb, arguments.tracks)
        drawn = f"{arguments.mb} Mb x {arguments.tracks} drawn tracks"
        rows.append(compare_speed(fasta, sheet, config, folder / "store", arguments.repeats, drawn, ALTERNATIVES))
        if arguments.data:
            worm = Path(arguments.data) / "worm"
            files = worm / "genome.fa.gz", worm / "targets.txt"
            what, arrays = "worm, 100 Mb x 52 tracks", dict(list(ALTERNATIVES.items())[1:])
            rows.append(compare_speed(*files, config, folder / "worm", arguments.repeats, what, arrays))
        rows.append(compare_memory(folder, config, max(4, arguments.mb // 4), arguments.tracks))
    print("\n".join(rows))
    if arguments.record:
        before = RESULTS.read_text() if RESULTS.exists() else f"# Benchmark results\n\n{HEADER}"
        RESULTS.write_text(before + "\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
