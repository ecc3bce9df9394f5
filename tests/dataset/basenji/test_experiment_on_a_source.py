"""An experiment that imports its data: dataset, training and evaluation as on a dataset of one's own."""

import pytest
import yaml

from regact.cli.app import main
from regact.dataset import open_store
from regact.errors import ConfigError, StoreError
from regact.evaluation import evaluate
from regact.experiment import load_experiment, open_or_build_store, train_experiment
from regact.training.run_folder import read_card

DATASET = {"window_bp": 256, "bin_bp": 32, "crop_bins": 1}
MODEL = {"preset": "standard", "filters": [4, 4], "widths": [5, 3], "pools": [8, 4], "head_filters": 8}
TRAINING = {"epochs": 1, "batch_size": 2}


@pytest.fixture
def write(tmp_path):
    """`write(source, **changes)` -> the YAML of an experiment on it."""

    def write_yaml(source, **changes):
        values = {"name": "public", "source": source, "store": str(tmp_path / "store")}
        values |= {"dataset": DATASET, "model": MODEL, "training": TRAINING} | changes
        path = tmp_path / "public.yaml"
        path.write_text(yaml.safe_dump(values))
        return path

    return write_yaml


@pytest.mark.parametrize("with_genome", [False, True])
def test_training_and_evaluation(write, write_directory, tmp_path, with_genome):
    made = write_directory(tmp_path / "data")
    path = write({"format": "basenji", "directory": "data"}, **({"genome": "data/genome.fa"} if with_genome else {}))
    run = train_experiment(path, tmp_path / "run", device="cpu")
    accuracy = evaluate(run, split="test", device="cpu")
    assert (accuracy.n_windows, len(accuracy.tracks)) == (2, 4)
    store = open_store(tmp_path / "store")
    assert store.header.genome.kept != with_genome
    assert read_card(run)["store"]["remarks"] == list(store.header.remarks)
    assert load_experiment(run / "config.yaml").source.directory == made.path
    assert open_or_build_store(load_experiment(path)).fingerprint == store.fingerprint
    with pytest.raises(StoreError, match=r"dataset\.max_shift_bp is 3, needed 4"):
        open_or_build_store(load_experiment(path, overrides=["dataset.max_shift_bp=4"]))


def test_dataset_build_imports_what_the_experiment_says(write, write_h5, tmp_path, capsys):
    write_h5(tmp_path)
    source = {"format": "basenji_h5", "file": "l131k_w128.h5", "bed": "l131k_w128.bed"}
    path = write(source, dataset={"window_bp": 256, "bin_bp": 32})
    with pytest.raises(SystemExit) as ended:
        main(["dataset", "build", str(path), "--out", str(tmp_path / "elsewhere"), "--workers", "1"])
    assert ended.value.code == 0
    assert "windows: 6 train, 2 valid, 3 test" in capsys.readouterr().err
    assert open_store(tmp_path / "elsewhere").header.source.format == "basenji_h5"


def test_windows_of_another_shape_are_told_before_the_work(write, write_directory, tmp_path):
    write_directory(tmp_path / "data")
    path = write({"format": "basenji", "directory": "data"}, dataset={"window_bp": 512, "bin_bp": 32, "crop_bins": 2})
    with pytest.raises(ConfigError, match=r"window_bp is 512; the data have 256; .*crop_bins is 2; the data have 1"):
        open_or_build_store(load_experiment(path))
    assert not (tmp_path / "store.partial").exists()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"tracks": "targets.txt"}, "tracks: tracks come with the source; leave them out"),
        ({"dataset": DATASET | {"max_masked_fraction": 0.2}}, "dataset.max_masked_fraction: imported data are as they"),
        ({"dataset": DATASET | {"split": {"by": "folds"}}}, "dataset.split by folds; needed by imported with a source"),
        ({"source": {"format": "basenji"}}, "source.directory: missing"),
        ({"source": {"format": "borzoi"}}, "source.format"),
        ({"source": None, "genome": "data/genome.fa"}, "tracks: missing"),
        ({"source": {"format": "basenji", "directory": "nowhere"}}, "source.directory: "),
    ],
)
def test_what_does_not_go_with_a_source(write, write_directory, tmp_path, changes, problem):
    write_directory(tmp_path / "data")
    (tmp_path / "targets.txt").touch()
    path = write(**({"source": {"format": "basenji", "directory": "data"}} | changes))
    with pytest.raises(ConfigError) as caught:
        load_experiment(path)
    assert any(found.startswith(problem) for found in caught.value.problems), caught.value.problems


def test_imported_split_without_a_source(write, tmp_path):
    (tmp_path / "genome.fa").write_text(">a\nACGT\n")
    (tmp_path / "targets.txt").touch()
    dataset = DATASET | {"split": {"by": "imported"}}
    path = write(None, genome="genome.fa", tracks="targets.txt", dataset=dataset)
    with pytest.raises(ConfigError, match="needed by imported with a source, only there"):
        load_experiment(path)
