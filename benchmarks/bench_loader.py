"""How fast the loader hands over windows of paper scale (4,229 tracks x 1,024 bins), against bare decoding of the same.

    python benchmarks/bench_loader.py [--windows 24] [--rounds 5] [--codec zstd]

Bare decoding is one process that decodes the targets of window after window into the same memory, and nothing else: no
sequence, no batches, nobody else's memory; beside it stands Zarr's own reading of whole windows. The loader is measured
with 0, 1 and 2 worker processes, and torch's DataLoader with 2 processes that read the very same windows. All take
turns in each round, since a shared machine's speed drifts; the ratios are medians over rounds of ratios within a round.
The last line is the row for RESULTS.md.

Values are drawn as binned coverage looks, not as multiples of one profile, which would compress too well: every track
has its own depth, its own response to a shared openness and its own peaks; counts are Poisson, weighted by a GC factor
per bin and track, so that they are no whole numbers; CAGE-like tracks are sparse. About 60 % of the values are 0.
"""

import argparse
import datetime
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numcodecs
import numpy as np
import pandas as pd
import torch
from torch.utils.data import DataLoader, Dataset

from regact.dataset import DatasetConfig, Store, open_store
from regact.dataset.batch_memory import BatchLayout
from regact.dataset.loader import Loader
from regact.dataset.schema import GenomeRecord, StoreHeader, TrackRecord
from regact.dataset.store_writer import create_store, finish_store, write_targets
from regact.dataset.window_reader import WindowReader
from regact.genome import Genome, load_genome

N_TRACKS, N_BINS, WINDOW_BP = 4_229, 1_024, 131_072
ASSAYS = (("DNASE", 949), ("CHIP", 2_307), ("CAGE", 973))  # the tracks of the paper's data
BATCH_SIZE = 4


def draw_window(rng: np.random.Generator, n_bins: int = N_BINS, n_tracks: int = N_TRACKS) -> np.ndarray:
    """Targets of one window, float16 (bin, track)."""
    sparse = np.concatenate([np.full(n, assay == "CAGE") for assay, n in ASSAYS])[:n_tracks]
    depth = rng.lognormal(0.3, 0.6, n_tracks)
    openness = rng.gamma(1.2, 1 / 1.2, (n_bins, 1))
    rate = np.where(sparse, 0.015, 0.8) * depth * openness * rng.gamma(2.0, 0.5, (n_bins, n_tracks))
    peaks = rng.random((n_bins, 1)) < 0.02
    rate *= np.where(peaks, rng.lognormal(2, 1, (n_bins, n_tracks)), 1)
    gc_factor = np.exp(rng.normal(0, 0.15, (n_bins, 1)) * rng.normal(1, 0.3, n_tracks))
    return np.minimum(rng.poisson(rate) * gc_factor, 384).astype(np.float16)


def write_store(
    folder: Path, n_windows: int, codec: str, *, window_bp: int = WINDOW_BP, n_tracks: int = N_TRACKS
) -> tuple[Store, Genome]:
    """A store of drawn windows on a drawn genome, in the layout that a build writes."""
    rng = np.random.default_rng(0)
    fasta = folder / "genome.fa"
    fasta.write_text(">chr1\n" + "".join(rng.choice(list("ACGT"), n_windows * window_bp)) + "\n")
    genome = load_genome(fasta)
    start = np.arange(n_windows) * window_bp
    windows = pd.DataFrame({"chrom": "chr1", "start": start, "end": start + window_bp})
    windows = windows.assign(split="train", fold="train", contig=0)
    config = DatasetConfig(codec=codec, window_bp=window_bp)
    header = write_header(genome, config, n_tracks)
    n_bins = window_bp // config.bin_bp
    mask = rng.random((n_windows, n_bins)) < 0.95
    path = folder / "store.zarr"
    create_store(path, header, windows, mask)
    for row in range(n_windows):
        write_targets(path, row, draw_window(rng, n_bins, n_tracks)[None], header.config)
    statistics = {name: np.zeros(n_tracks) for name in ("mean", "variance", "max", "clipped")}
    finish_store(path, header, windows, mask, values_sha256="", statistics=statistics)
    return open_store(path), genome


def write_header(genome: Genome, config: DatasetConfig, n_tracks: int = N_TRACKS) -> StoreHeader:
    """The header of a store whose tracks have no files."""
    assays = [assay for assay, n in ASSAYS for _ in range(n)][:n_tracks]
    tracks = [
        TrackRecord(
            identifier=f"track{index}",
            files=("none.bw",),
            clip=384,
            clip_soft=None,
            scale=1,
            sum_stat="sum",
            strand_pair=index,
            description=f"{assay}:drawn",
        )
        for index, assay in enumerate(assays)
    ]
    record = GenomeRecord(name=genome.name, path=str(genome.path), checksum=genome.checksum, lengths=genome.lengths)
    return StoreHeader(
        config=config,
        genome=record,
        tracks=tuple(tracks),
        track_sheet="targets.txt",
        transform_version=1,
        folds=("train",),
        roles={"train": "train"},
        regact_version="benchmark",
        created=datetime.datetime.now(datetime.UTC).isoformat(),
    )


class BatchesForTorch(Dataset):
    """The same batches through torch's DataLoader: each fetched whole by one worker, sent through its queue."""

    def __init__(self, reader: WindowReader, n_windows: int) -> None:
        self.reader, self.n_windows = reader, n_windows

    def __len__(self) -> int:
        return self.n_windows // BATCH_SIZE

    def __getitem__(self, i: int) -> tuple[torch.Tensor, ...]:
        numcodecs.blosc.set_nthreads(1)
        arrays = BatchLayout(BATCH_SIZE, WINDOW_BP, N_BINS, N_TRACKS).new_arrays()
        for j in range(BATCH_SIZE):
            self.reader.read_into(arrays, j, i * BATCH_SIZE + j, 0)
        return tuple(torch.from_numpy(array) for array in (arrays.codes, arrays.targets, arrays.mask))


def seconds_for(batches: Iterator[object]) -> float:
    """Seconds until the last of `batches` is there, each let go before the next."""
    started = time.perf_counter()
    for _ in batches:
        pass
    return time.perf_counter() - started


def decode_bare(store: Store) -> Iterator[None]:
    """Decode every window of the store into the same memory."""
    targets = np.empty((N_BINS, N_TRACKS), dtype=np.float16)
    for row in range(store.n_windows):
        yield store.read_targets_into(row, targets)


def read_by_zarr(store: Store) -> Iterator[np.ndarray]:
    """Read every window as any Zarr user would."""
    for row in range(store.n_windows):
        yield store.targets[row]


def measure(store: Store, genome: Genome, rounds: int) -> dict[str, np.ndarray]:
    """Windows per second of each way, one value per round; a first round, not counted, warms up all of them."""
    loaders = {workers: Loader(store, genome, "train", batch_size=BATCH_SIZE, workers=workers) for workers in (0, 1, 2)}
    dataset = BatchesForTorch(WindowReader(store, genome), store.n_windows)
    torch_loader = DataLoader(
        dataset, batch_size=None, num_workers=2, persistent_workers=True, multiprocessing_context="spawn"
    )
    ways: dict[str, Callable[[int], Iterator[object]]] = {
        "bare": lambda _: decode_bare(store),
        "Zarr's own reading": lambda _: read_by_zarr(store),
    }
    for workers, loader in loaders.items():
        ways[f"loader, {workers} workers"] = loader.epoch
    ways["torch DataLoader, 2 workers"] = lambda _: iter(torch_loader)
    rates: dict[str, list[float]] = {way: [] for way in ways}
    for round_ in range(rounds + 1):
        for way, batches in ways.items():
            rates[way].append(store.n_windows / seconds_for(batches(round_)))
    for loader in loaders.values():
        loader.close()
    return {way: np.array(values[1:]) for way, values in rates.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=int, default=24, help="windows in the store (a multiple of 4)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--codec", default="zstd", choices=["zstd", "blosc_zstd", "blosc_lz4"])
    arguments = parser.parse_args()
    numcodecs.blosc.set_nthreads(1)  # bare decoding is one thread
    with tempfile.TemporaryDirectory() as folder:
        store, genome = write_store(Path(folder), arguments.windows, arguments.codec)
        stored = sum(file.stat().st_size for file in (store.path / "targets").rglob("*") if file.is_file())
        print(f"{store.n_windows} windows, {arguments.codec}, compressed {store.targets.nbytes / stored:.2f} x")
        rates = measure(store, genome, arguments.rounds)
    ratios = {way: float(np.median(values / rates["bare"])) for way, values in rates.items()}
    for way, values in rates.items():
        print(f"{way:30s} {np.median(values):7.1f} windows/s   {ratios[way]:.2f} x bare")
    results = "; ".join(f"{way} {np.median(values):.0f} windows/s" for way, values in rates.items())
    compared = ", ".join(f"{ratios[way]:.2f} ({way})" for way in list(rates)[1:])
    print(
        f"| bench_loader, {arguments.codec} | {_machine()} | {datetime.date.today()} | {results} | {compared} x bare |"
    )


def _machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    return f"{name}, {torch.get_num_threads()} threads"


if __name__ == "__main__":
    main()
