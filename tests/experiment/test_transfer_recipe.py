"""The recipe of docs/transfer.md: a trained trunk, a new head, ten tracks of one's own."""

import numpy as np
import pandas as pd
import pytest
import yaml

from regact.errors import RunError
from regact.evaluation import evaluate
from regact.experiment import load_experiment, train_experiment
from regact.genome import decode
from regact.tracks import write_bigwig
from regact.training import read_card


@pytest.fixture(scope="module")
def trunk(planted, tmp_path_factory):
    """A run on three tracks that has learned the planted motif."""
    training = planted.experiment.training.model_copy(update={"epochs": 25})
    plan = planted.experiment.model_copy(update={"training": training})
    return train_experiment(plan, tmp_path_factory.mktemp("trunk") / "run", device="cpu")


@pytest.fixture(scope="module")
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


def test_ten_own_tracks_learn_sooner_behind_a_trained_trunk(trunk, own, tmp_path):
    settings = ["transfer.parts=trunk", "transfer.freeze_epochs=2", "transfer.rate_factor=0.1"]
    plan = load_experiment(own, overrides=[f"model={{run: {trunk}}}", f"transfer.run={trunk}", *settings])
    tuned = train_experiment(plan, tmp_path / "tuned", device="cpu")
    new = train_experiment(load_experiment(own), tmp_path / "new", device="cpu")

    card = read_card(tuned)
    assert len(card["tracks"]) == 10
    assert (card["transfer"]["run"], card["transfer"]["parts"]) == (str(trunk), "trunk")
    again = load_experiment(tuned / "config.yaml")  # what the run was made with says it too
    assert again.transfer == plan.transfer
    # Of the split that neither run was trained or chosen on.
    scores = {run: evaluate(run, split="test", device="cpu").means["pearson"] for run in (tuned, new)}
    assert scores[tuned] > scores[new] + 0.05
    logs = {run: pd.read_csv(run / "log.csv")["valid_pearson"] for run in (tuned, new)}
    assert logs[tuned][1] > logs[new].max()  # the new head alone, on the frozen trunk


def test_a_trunk_that_does_not_fit_is_told_before_the_dataset_is_built(trunk, own, tmp_path):
    settings = ["transfer.parts=trunk", "model.dilated_layers=3", "model.filters=[16, 32]"]
    plan = load_experiment(own, overrides=[f"transfer.run={trunk}", f"store={tmp_path / 'store'}", *settings])
    with pytest.raises(RunError, match=r"tower block 2 has 24 filters .*; context layer 1 has layers 2, needed 3"):
        train_experiment(plan, tmp_path / "run", device="cpu")
    assert list(tmp_path.iterdir()) == []


def test_a_run_to_start_from_lies_in_the_working_directory(own, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_experiment(own, overrides=["transfer.run=runs/trunk"]).transfer.run == tmp_path / "runs/trunk"
