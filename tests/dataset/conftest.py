"""Stores small enough to build for each test, written as a build writes them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
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
        header = _header(genome, DatasetConfig(window_bp=window_bp, bin_bp=bin_bp), strand_pair, clip)
        path = folder / "store.zarr"
        create_store(path, header, windows, mask)
        write_targets(path, 0, targets)
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
