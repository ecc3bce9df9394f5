"""Stores small enough to build for each test, written as a build writes them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyBigWig
import pytest

from regact.dataset import DatasetConfig, Store, open_store
from regact.dataset.schema import GenomeRecord, StoreHeader, TrackRecord
from regact.dataset.store_writer import create_store, finish_store, write_targets
from regact.genome import Genome, load_genome

MakeStore = Callable[..., tuple[Store, Genome]]


@pytest.fixture(scope="session")
def make_store(tmp_path_factory: pytest.TempPathFactory) -> MakeStore:
    """`make_store(targets=None, **settings)` -> a store and its genome.

    Windows of `window_bp` lie one after the other on each contig; `splits` gives their splits in order. The FASTA ends
    right after the last window unless `sequences` says otherwise.
    """

    def make(
        *,
        targets: np.ndarray | None = None,
        mask: np.ndarray | None = None,
        sequences: dict[str, str] | None = None,
        splits: Sequence[str] = ("train",) * 6 + ("valid",) * 2 + ("test",) * 2,
        strand_pair: Sequence[int] = (1, 0, 2),
        window_bp: int = 256,
        bin_bp: int = 32,
        clip: Sequence[float | None] | None = None,
        max_shift_bp: int = 3,
        codec: str = "zstd",
        seed: int = 0,
    ) -> tuple[Store, Genome]:
        rng = np.random.default_rng(seed)
        n, n_bins, n_tracks = len(splits), window_bp // bin_bp, len(strand_pair)
        if sequences is None:
            sequences = {"chr1": "".join(rng.choice(list("ACGT"), n * window_bp))}
        if targets is None:
            targets = rng.gamma(0.5, 4, (n, n_bins, n_tracks)).astype(np.float16)
        if mask is None:
            mask = rng.random((n, n_bins)) < 0.8
        folder = tmp_path_factory.mktemp("store")
        genome = _genome(folder, sequences)
        places = [(c, i * window_bp) for c, s in sequences.items() for i in range(len(s) // window_bp)][:n]
        windows = pd.DataFrame(places, columns=["chrom", "start"])
        windows["end"] = windows["start"] + window_bp
        windows["split"] = windows["fold"] = list(splits)
        windows["contig"] = 0
        header = _header(
            genome,
            DatasetConfig(window_bp=window_bp, bin_bp=bin_bp, max_shift_bp=max_shift_bp, codec=codec),
            strand_pair,
            clip,
        )
        path = folder / "store.zarr"
        create_store(path, header, windows, mask)
        write_targets(path, 0, targets, header.config)
        empty = {name: np.zeros(n_tracks) for name in ("mean", "variance", "max", "clipped")}
        finish_store(path, header, windows, mask, values_sha256="", statistics=empty)
        return open_store(path), genome

    return make


@pytest.fixture(scope="session")
def small_store(make_store: MakeStore) -> tuple[Store, Genome]:
    """Ten windows of 256 bp and 8 bins, three tracks, of which the first two are a strand pair."""
    return make_store()


def _genome(folder: Path, sequences: dict[str, str]) -> Genome:
    fasta = folder / "genome.fa"
    fasta.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in sequences.items()))
    return load_genome(fasta)


def _header(
    genome: Genome, config: DatasetConfig, strand_pair: Sequence[int], clip: Sequence[float | None] | None
) -> StoreHeader:
    tracks = tuple(
        TrackRecord(
            identifier=f"track{index}",
            files=(f"track{index}.bw",),
            clip=None if clip is None else clip[index],
            clip_soft=None,
            scale=1.0,
            sum_stat="sum",
            strand_pair=pair,
            description=f"CAGE:sample {index}" if pair != index else f"CHIP:sample {index}",
        )
        for index, pair in enumerate(strand_pair)
    )
    record = GenomeRecord(
        name=genome.name, path=str(genome.path), checksum=genome.checksum, lengths=dict(genome.lengths)
    )
    return StoreHeader(
        config=config,
        genome=record,
        tracks=tracks,
        track_sheet="targets.txt",
        transform_version=1,
        folds=("train", "valid", "test"),
        roles={split: split for split in ("train", "valid", "test")},
        regact_version="0",
        created="2026-01-01T00:00:00Z",
    )


@dataclass(frozen=True)
class Inputs:
    """A genome and its tracks on disk, and what they hold base by base."""

    folder: Path
    fasta: Path
    sheet: Path
    bases: dict[str, dict[str, np.ndarray]]  # track, contig: coverage of each base

    def write_sheet(self, **columns: Sequence[object]) -> Path:
        """Write the track sheet again with more columns."""
        table = pd.DataFrame({"identifier": list(self.bases), "file": [f"{name}.bw" for name in self.bases], **columns})
        table.to_csv(self.sheet, sep="\t", index=False)
        return self.sheet


@pytest.fixture
def make_inputs(tmp_path: Path) -> Callable[..., Inputs]:
    """`make_inputs(lengths, n_tracks=3)` -> a random genome with bigWigs of sparse counts, written by pyBigWig."""

    def make(
        lengths: dict[str, int], *, n_tracks: int = 3, seed: int = 0, folder: str = "inputs", n: Sequence[tuple] = ()
    ) -> Inputs:
        rng = np.random.default_rng(seed)
        place = tmp_path / folder
        place.mkdir()
        sequences = {name: rng.choice(np.frombuffer(b"ACGT", np.uint8), length) for name, length in lengths.items()}
        for chrom, start, end in n:
            sequences[chrom][start:end] = ord("N")
        fasta = place / "genome.fa"
        fasta.write_text("".join(f">{name}\n{codes.tobytes().decode()}\n" for name, codes in sequences.items()))
        bases = {
            f"track{number}": {name: _sparse_counts(rng, length) for name, length in lengths.items()}
            for number in range(n_tracks)
        }
        for track, contigs in bases.items():
            write_bases(place / f"{track}.bw", contigs)
        inputs = Inputs(place, fasta, place / "targets.txt", bases)
        inputs.write_sheet()
        return inputs

    return make


def write_bases(path: Path, contigs: dict[str, np.ndarray]) -> None:
    with pyBigWig.open(str(path), "w") as file:
        file.addHeader([(name, len(values)) for name, values in contigs.items()])
        for name, values in contigs.items():
            places = np.flatnonzero(values)
            file.addEntries(
                [name] * len(places), places.tolist(), ends=(places + 1).tolist(), values=values[places].tolist()
            )


def _sparse_counts(rng: np.random.Generator, length: int) -> np.ndarray:
    counts = rng.poisson(3.0, length) * (rng.random(length) < 0.05)
    counts[length // 2] += 1  # never empty
    return counts.astype(float)
