"""Which codec, and which chunks, a store's targets take: size, and time for whole windows and for a few tracks.

    python benchmarks/bench_store_codecs.py [--windows 16] [--rounds 3] [--data FOLDER]

Windows of 131,072 bp in bins of 128 bp: drawn ones with 4,229 tracks (as bench_loader draws them), and with REGACT_DATA
or --data real ones, drawn from all windows of worm (52 tracks) and yeast (22). Each is kept as one chunk, as chunks of
some of its tracks, and as one chunk with each track's bins side by side. Reading a whole window means to have it as
(bin, track) in memory that is already there, as the loader does; reading a few tracks means to decode the chunks that
hold them and no more. Ways take turns, window by window; times are medians. Ratios are to what a build writes.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
from bench_loader import draw_window

from regact.dataset import DatasetConfig, SplitByFraction, build_dataset

WINDOW_BP = 131_072
FEW = 8  # tracks, on chance places
CODECS: dict[str, Any] = {
    "zstd 1": numcodecs.Zstd(1),
    "zstd 3": numcodecs.Zstd(3),
    "zstd 9": numcodecs.Zstd(9),
    "blosc zstd 3, bitshuffle": numcodecs.Blosc("zstd", 3, numcodecs.Blosc.BITSHUFFLE),
    "blosc lz4 5, bitshuffle": numcodecs.Blosc("lz4", 5, numcodecs.Blosc.BITSHUFFLE),
}
BUILT = "zstd 1, whole window"


@dataclass
class Way:
    """One way to keep a window, and what was measured of it."""

    codec: Any
    tracks_per_chunk: int
    track_first: bool
    stored_bytes: int = 0
    encode: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    few: list[float] = field(default_factory=list)

    def chunks(self, n_tracks: int) -> list[slice]:
        """The tracks of each chunk."""
        return [slice(i, min(i + self.tracks_per_chunk, n_tracks)) for i in range(0, n_tracks, self.tracks_per_chunk)]

    def measure(self, window: np.ndarray, few: np.ndarray, out: np.ndarray) -> None:
        """Encode a window, and decode all of it into `out` and the chunks of a few tracks."""
        chunks = self.chunks(window.shape[1])
        started = time.perf_counter()
        encoded = [self._encode(window[:, tracks]) for tracks in chunks]
        self.encode.append(time.perf_counter() - started)
        self.stored_bytes += sum(map(len, encoded))
        started = time.perf_counter()
        for tracks, content in zip(chunks, encoded, strict=True):
            self._decode(content, out, tracks)
        self.whole.append(time.perf_counter() - started)
        if not np.array_equal(out, window, equal_nan=True):
            raise SystemExit("a window came back changed")
        started = time.perf_counter()
        for number in sorted(set((few // self.tracks_per_chunk).tolist())):
            self._decode(encoded[number], out, chunks[number])
        self.few.append(time.perf_counter() - started)

    def _encode(self, values: np.ndarray) -> bytes:
        return bytes(self.codec.encode(np.ascontiguousarray(values.T if self.track_first else values)))

    def _decode(self, content: bytes, out: np.ndarray, tracks: slice) -> None:
        part = out[:, tracks]
        if part.flags.c_contiguous and not self.track_first:
            self.codec.decode(content, out=part)
            return
        shape = part.shape[::-1] if self.track_first else part.shape
        values = np.frombuffer(self.codec.decode(content), np.float16).reshape(shape)
        part[:] = values.T if self.track_first else values


def ways(n_tracks: int) -> dict[str, Way]:
    """What is compared for windows of so many tracks."""
    found = {f"{name}, whole window": Way(codec, n_tracks, False) for name, codec in CODECS.items()}
    zstd = CODECS["zstd 1"]
    for size in (512, 64, 16):
        if size < n_tracks:
            found[f"zstd 1, chunks of {size} tracks"] = Way(zstd, size, False)
    found["zstd 1, whole window, track by track"] = Way(zstd, n_tracks, True)
    if n_tracks > 64:
        found["zstd 1, chunks of 64 tracks, track by track"] = Way(zstd, 64, True)
    found["blosc lz4 5, bitshuffle, whole window, track by track"] = Way(
        CODECS["blosc lz4 5, bitshuffle"], n_tracks, True
    )
    return found


def drawn_windows(n: int) -> Iterator[np.ndarray]:
    """Windows of 4,229 drawn tracks."""
    rng = np.random.default_rng(0)
    for _ in range(n):
        yield draw_window(rng)


def real_windows(data: Path, species: str, n: int, folder: Path) -> Iterator[np.ndarray]:
    """`n` windows of a real genome's tracks, drawn from all."""
    config = DatasetConfig(window_bp=WINDOW_BP, split=SplitByFraction(valid=0.1, test=0.1))
    store = build_dataset(data / species / "genome.fa.gz", data / species / "targets.txt", config, folder / species)
    for row in np.random.default_rng(0).permutation(store.n_windows)[:n]:
        yield store.read([row])[0][0]


def report(what: str, windows: Iterator[np.ndarray], rounds: int) -> None:
    """Print the table of one kind of windows."""
    numcodecs.blosc.set_nthreads(1)
    rng = np.random.default_rng(1)
    compared: dict[str, Way] = {}
    raw_bytes, n = 0, 0
    for window in windows:
        compared = compared or ways(window.shape[1])
        out = np.empty_like(window)
        raw_bytes, n = raw_bytes + window.nbytes, n + 1
        few = rng.choice(window.shape[1], min(FEW, window.shape[1] // 4), replace=False)
        for _ in range(rounds):
            for way in compared.values():
                way.measure(window, few, out)
    print(f"\n{what}: {n} windows of {raw_bytes / n / 1e6:.2f} MB, {len(few)} tracks as the few")
    print("| kept as | size of raw | encode MB/s | whole window MB/s (to built) | few tracks ms (to built) |")
    print("| --- | --- | --- | --- | --- |")
    built = compared[BUILT]
    for name, way in compared.items():
        ratio = raw_bytes * rounds / way.stored_bytes
        rate = raw_bytes / n / np.median(way.whole) / 1e6
        faster = np.median(np.array(built.whole) / np.array(way.whole))
        few_ms, slower = 1e3 * np.median(way.few), np.median(np.array(way.few) / np.array(built.few))
        encode = raw_bytes / n / np.median(way.encode) / 1e6
        print(f"| {name} | 1/{ratio:.2f} | {encode:.0f} | {rate:.0f} ({faster:.2f}) | {few_ms:.2f} ({slower:.2f}) |")


def main() -> None:
    """Measure and print tables for RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", type=Path, default=os.environ.get("REGACT_DATA"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.data:
            for species in ("worm", "yeast"):
                real = real_windows(Path(arguments.data), species, 4 * arguments.windows, Path(folder))
                report(species, real, arguments.rounds)
        report("drawn, 4,229 tracks", drawn_windows(arguments.windows), arguments.rounds)


if __name__ == "__main__":
    main()
