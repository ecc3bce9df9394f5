"""A small simulated genome and stores built on it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from regact.dataset import DatasetConfig, Store, build_dataset
from regact.evaluation.split_predictions import SplitPredictions
from regact.genome import Genome
from regact.simulation import SimulationConfig, Truth, load_truth, simulate

# Windows of 32,768 bp: R = 62 bins = 7,936 bp. chr1 holds the test windows, for there are most promoters.
CHROMOSOMES = {"chr1": 900_000, "chr2": 70_000, "chr3": 70_000}


@dataclass(frozen=True)
class SimulatedData:
    """The folder, what is true in it, and a store of it with `crop_bins` at each end."""

    folder: Path
    truth: Truth
    promoters: pd.DataFrame
    genome: Genome
    store: Store


@pytest.fixture(scope="session")
def simulated_with_crop(tmp_path_factory) -> Callable[[int], SimulatedData]:
    parent = tmp_path_factory.mktemp("simulated")
    folder = simulate(SimulationConfig(seed=3, window_bp=32_768, chromosomes=CHROMOSOMES), parent / "genome")
    made: dict[int, SimulatedData] = {}

    def data(crop_bins: int) -> SimulatedData:
        if crop_bins not in made:
            config = DatasetConfig.model_validate({
                "window_bp": 32_768,
                "crop_bins": crop_bins,
                "strides": {"test": 8_192},
                "split": {"by": "chromosomes", "valid": ["chr2"], "test": ["chr1"]},
            })  # fmt: skip
            out = parent / f"store{crop_bins}"
            store = build_dataset(folder / "genome.fa", folder / "targets.txt", config, out, workers=1)
            promoters = pd.read_csv(folder / "promoters.tsv", sep="\t")
            made[crop_bins] = SimulatedData(folder, load_truth(folder), promoters, store.open_genome(), store)
        return made[crop_bins]

    return data


@pytest.fixture(scope="session")
def simulated(simulated_with_crop) -> SimulatedData:
    return simulated_with_crop(0)


@pytest.fixture(scope="session")
def masked_store(planted, tmp_path_factory) -> Store:
    """The planted store with every fourth window's middle blacklisted, one of its tests whole."""
    folder = tmp_path_factory.mktemp("masked")
    rows = [
        f"{chrom}\t{start + 200}\t{start + 500}\n" for chrom in ("chrV", "chrT") for start in range(0, 12_288, 4096)
    ]
    (folder / "blacklist.bed").write_text("".join([*rows, "chrT\t2048\t3072\n"]))
    changed = {**planted.experiment.dataset.model_dump(), "blacklist": folder / "blacklist.bed"}
    config = DatasetConfig.model_validate(changed)
    data = planted.yaml.parent
    return build_dataset(data / "genome.fa", data / "targets.txt", config, folder / "store", workers=1)


Matrices = tuple[SplitPredictions, np.ndarray, np.ndarray]


@pytest.fixture(scope="session")
def masked_predictions(masked_store: Store, tmp_path_factory) -> Matrices:
    """Noisy predictions of a split with masked bins; the same predicted and measured values as arrays (track, bin)."""
    targets, mask = masked_store.read(masked_store.rows("test"))
    assert 0 < mask.sum() < mask.size
    measured = targets.astype(np.float32)[mask].T
    noise = np.random.default_rng(0).gamma(2, 0.5, measured.shape)
    predicted = ((0.5 + measured) * noise).astype(np.float32)
    return lay_down(predicted, measured, masked_store, tmp_path_factory), predicted, measured


@pytest.fixture(scope="session")
def flat_predictions(masked_predictions: Matrices, masked_store: Store, tmp_path_factory) -> SplitPredictions:
    """The same, but the last track's measured values are all one."""
    _, predicted, measured = masked_predictions
    flat = measured.copy()
    flat[2] = 1.5
    return lay_down(predicted, flat, masked_store, tmp_path_factory)


def lay_down(predicted: np.ndarray, measured: np.ndarray, store: Store, tmp_path_factory) -> SplitPredictions:
    """Predictions of the test split as a folder, by no code of the library's."""
    folder = tmp_path_factory.mktemp("predictions")
    np.save(folder / "predicted.npy", predicted)
    np.save(folder / "measured.npy", measured.astype(np.float16))
    return SplitPredictions(folder, store, "test")
