"""Two runs on a small dataset, made by the library itself."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from regact.dataset import DatasetConfig, build_dataset
from regact.model import preset_spec
from regact.training import TrainingConfig, train_model

WINDOW_BP, BIN_BP = 4096, 128
TRACKS = ("CAGE:liver <5' & 3'>", "CAGE:blood", "DNASE:liver", "DNASE:flat")


@dataclass(frozen=True)
class TrainedRuns:
    """Where the store and the runs lie."""

    store: Path
    basenji: Path
    two_sided: Path


@pytest.fixture(scope="session")
def trained_runs(tmp_path_factory: pytest.TempPathFactory) -> TrainedRuns:
    """Two presets, an epoch each, on random sequence with tracks that follow its GC; the last track is flat."""
    folder = tmp_path_factory.mktemp("runs")
    rng = np.random.default_rng(0)
    sequences = {f"chr{i}": rng.choice(list("ACGT"), 8 * WINDOW_BP) for i in (1, 2, 3)}
    fasta = folder / "genome.fa"
    fasta.write_text("".join(f">{name}\n{''.join(sequence)}\n" for name, sequence in sequences.items()))
    sheet = ["identifier\tfile\tdescription"]
    for track, description in enumerate(TRACKS):
        lines = []
        for name, sequence in sequences.items():
            gc = np.isin(sequence, ["C", "G"]).reshape(-1, BIN_BP).mean(axis=1)
            values = np.ones_like(gc) if "flat" in description else rng.poisson(10 * gc * (1 + track)) / BIN_BP
            lines += [f"{name}\t{i * BIN_BP}\t{(i + 1) * BIN_BP}\t{value:.6g}" for i, value in enumerate(values)]
        (folder / f"track{track}.bedgraph").write_text("\n".join(lines) + "\n")
        sheet.append(f"track{track}\ttrack{track}.bedgraph\t{description}")
    (folder / "targets.txt").write_text("\n".join(sheet) + "\n")
    config = DatasetConfig.model_validate(
        {"window_bp": WINDOW_BP, "split": {"by": "chromosomes", "valid": ["chr2"], "test": ["chr3"]}}
    )
    store = build_dataset(fasta, folder / "targets.txt", config, folder / "store", workers=1)
    runs = []
    for preset in ("basenji", "attention_two_sided"):
        spec = preset_spec(preset, tracks=len(TRACKS), window_bp=WINDOW_BP, width=0.03)
        training = TrainingConfig(epochs=2, batch_size=4)
        runs.append(train_model(store, store.open_genome(), spec, training, folder / preset, device="cpu"))
    return TrainedRuns(store.path, *runs)
