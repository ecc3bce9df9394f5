"""A small simulated genome and stores built on it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from regact.dataset import DatasetConfig, Store, build_dataset
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
