"""What all tests share: one thread each, the folder of real data, and the GPU where there is one."""

import importlib.util
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from hypothesis import settings

from regact.dataset import Store
from regact.experiment import Experiment, load_experiment, open_or_build_store
from regact.genome import Genome, encode, reverse_complement
from regact.tracks import write_bigwig

# Workers of pytest-xdist share the cores; more threads than cores make every test slower. The variables are for the
# processes that tests start.
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
torch.set_num_threads(1)

# Started in the background of a script, a program is told to ignore Ctrl-C, and so are those it starts. Tests send it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long one example takes says how busy the machine is, not whether the code is right.
settings.register_profile("regact", deadline=None)
settings.load_profile("regact")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, what this machine cannot run."""
    no_gpu = None if torch.cuda.is_available() else pytest.mark.skip(reason="no CUDA device on this machine")
    no_data = pytest.mark.skip(reason=_why_no_data()) if _why_no_data() else None
    for item in items:
        for marker, skip in (("gpu", no_gpu), ("data", no_data)):
            if skip is not None and item.get_closest_marker(marker):
                item.add_marker(skip)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data; tests that ask for it carry `@pytest.mark.data`."""
    if reason := _why_no_data():
        pytest.skip(reason)
    return Path(os.environ["REGACT_DATA"])


def _why_no_data() -> str:
    folder = os.environ.get("REGACT_DATA")
    if not folder:
        return "REGACT_DATA does not name the folder of real data"
    return "" if Path(folder).is_dir() else f"REGACT_DATA names {folder}, which is no folder"


@pytest.fixture
def thesis(tmp_path: Path) -> Path:
    """A folder of somebody else's work, which no `overwrite` may replace."""
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "chapter.txt").write_text("years of work")
    return folder


@pytest.fixture(scope="session")
def module_at() -> Callable[[str], ModuleType]:
    """`module_at("pretrained/keras_numpy.py")`: a file beside the tests as a module; tests are no packages."""
    return _module_at


@cache
def _module_at(name: str) -> ModuleType:
    path = Path(__file__).parent / name
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None, name
    assert spec.loader is not None, name
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Planted:
    """A genome whose signal follows one motif, its experiment, and the store built from it."""

    yaml: Path
    experiment: Experiment
    store: Store
    genome: Genome


PLANTED_MOTIF = "TGACTCATCG"
PLANTED_LENGTHS = {"chrA": 48 * 1024, "chrV": 12 * 1024, "chrT": 12 * 1024}
PLANTED_YAML = """
name: planted
genome: genome.fa
tracks: targets.txt
store: {store}
dataset:
  window_bp: 1024
  bin_bp: 32
  split: {{by: chromosomes, valid: [chrV], test: [chrT]}}
model:
  preset: basenji
  filters: [16, 24]
  widths: [11, 3]
  pools: [4, 8]
  dilated_layers: 2
  dilated_filters: 8
  head_filters: 24
training:
  epochs: 3
  batch_size: 8
  learning_rate: 0.01
"""


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """48 training, 12 validation and 12 test windows of 1,024 bp; tracks fwd, rev (a strand pair) and both.

    fwd counts where the motif stands on the forward strand, rev where on the other; both is broad around either.
    """
    folder = tmp_path_factory.mktemp("planted")
    rng = np.random.default_rng(0)
    codes = {chrom: rng.integers(0, 4, length).astype(np.uint8) for chrom, length in PLANTED_LENGTHS.items()}
    signals = {chrom: _plant(contig, rng) for chrom, contig in codes.items()}
    with (folder / "genome.fa").open("w") as fasta:
        for chrom, contig in codes.items():
            fasta.write(f">{chrom}\n{''.join('ACGT'[code] for code in contig)}\n")
    rows = ["identifier\tfile\tstrand_pair\tdescription"]
    for row, (name, pair, about) in enumerate((("fwd", 1, "CAGE:+"), ("rev", 0, "CAGE:-"), ("both", 2, "CHIP:motif"))):
        chunks = ((chrom, 0, signals[chrom][row]) for chrom in codes)
        write_bigwig(folder / f"{name}.bw", PLANTED_LENGTHS, chunks, span=1)
        rows.append(f"{name}\t{name}.bw\t{pair}\t{about}")
    (folder / "targets.txt").write_text("\n".join(rows) + "\n")
    (folder / "planted.yaml").write_text(PLANTED_YAML.format(store=folder / "store"))
    experiment = load_experiment(folder / "planted.yaml")
    store = open_or_build_store(experiment, workers=1)
    return Planted(folder / "planted.yaml", experiment, store, store.open_genome())


def _plant(contig: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Write motifs into `contig` in place; return what the three tracks count at each base."""
    signal = rng.poisson(0.02, (3, len(contig))).astype(np.float32)
    forward = encode(PLANTED_MOTIF)
    for start in range(40, len(contig) - 60, 130):
        strand = int(rng.integers(2))
        place = start + int(rng.integers(60))
        contig[place : place + len(forward)] = reverse_complement(forward) if strand else forward
        signal[strand, place : place + 10] += 2
        signal[2, place - 20 : place + 30] += 1
    return signal
