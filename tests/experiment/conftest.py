"""A trunk that has learned something, ten tracks of somebody's own, and a writer of TensorFlow's checkpoints."""

import numpy as np
import pytest
import yaml

from regact.experiment import train_experiment
from regact.genome import decode
from regact.tracks import write_bigwig


@pytest.fixture(scope="session")
def trunk(planted, tmp_path_factory):
    """A run on three tracks that has learned the planted motif."""
    training = planted.experiment.training.model_copy(update={"epochs": 25})
    plan = planted.experiment.model_copy(update={"training": training})
    return train_experiment(plan, tmp_path_factory.mktemp("trunk") / "run", device="cpu")


@pytest.fixture(scope="session")
def own(planted, tmp_path_factory):
    """An experiment with ten shallow tracks around the same motif: other widths, places and depths, and noise."""
    folder, rng = tmp_path_factory.mktemp("own"), np.random.default_rng(1)
    rows = ["identifier\tfile\tdescription"]
    for number in range(10):
        signals = {chrom: _respond(planted.genome.contig(chrom), number, rng) for chrom in planted.genome.lengths}
        chunks = ((chrom, 0, signal) for chrom, signal in signals.items())
        write_bigwig(folder / f"{number}.bw", planted.genome.lengths, chunks, span=1)
        rows.append(f"own{number}\t{number}.bw\tCHIP:own{number}")
    (folder / "targets.txt").write_text("\n".join(rows) + "\n")
    values = planted.experiment.settings() | {
        "name": "own",
        "tracks": "targets.txt",
        "store": str(folder / "store"),
        "training": {"epochs": 4, "batch_size": 8, "learning_rate": 0.01},
    }
    (folder / "own.yaml").write_text(yaml.safe_dump(values))
    return folder / "own.yaml"


def _respond(codes, number, rng):
    """Per-base counts of one track: 0.2 to 0.4 a base in a stretch near every motif, 0.05 elsewhere."""
    text = decode(codes)
    rate = np.full(len(codes), 0.05)
    for motif in ("TGACTCATCG", "CGATGAGTCA"):
        place = text.find(motif)
        while place >= 0:
            start = max(0, place + 8 * (number % 5) - 16)
            rate[start : start + 20 + 4 * number] = 0.2 + 0.02 * number
            place = text.find(motif, place + 1)
    return rng.poisson(rate).astype(np.float32)


@pytest.fixture(scope="session")
def write_checkpoint(module_at):
    """TensorFlow's second checkpoint format, written from its description."""
    return module_at("pretrained/checkpoint_writer.py").write_checkpoint
