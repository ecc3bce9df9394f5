"""One small simulated genome for all tests of this folder."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from regact.genome import Genome, load_genome
from regact.simulation import SimulationConfig, Truth, load_truth, simulate

# Windows of 32,768 bp: five dilated layers, R = 62 bins = 7,936 bp. The last contig ends within a bin.
CONFIG = SimulationConfig(
    seed=5, window_bp=32_768, chromosomes={"chr1": 1_000_000, "chr2": 500_001}, background={"gc": 0.44}
)


class Simulated:
    """The folder and what is in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = CONFIG
        self.truth: Truth = load_truth(folder)
        self.genome: Genome = load_genome(folder / "genome.fa")
        self.elements, self.promoters, self.links = (
            pd.read_csv(folder / f"{table}.tsv", sep="\t") for table in ("elements", "promoters", "links")
        )


@pytest.fixture(scope="session")
def simulated(tmp_path_factory) -> Simulated:
    return Simulated(simulate(CONFIG, tmp_path_factory.mktemp("simulate") / "genome"))


@pytest.fixture(scope="session")
def truth() -> Truth:
    return Truth(CONFIG)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)
