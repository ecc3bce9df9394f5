"""Experiments: every file of ours loads, every mistake in a user's is told at once."""

from pathlib import Path

import pytest
import yaml

from regact.dataset.plan import plan_build
from regact.errors import ConfigError, StoreError
from regact.experiment import load_experiment, open_or_build_store

FOLDER = Path(__file__).parents[1] / "experiments"
EXPERIMENTS = sorted(path for path in FOLDER.glob("*.yaml") if not path.stem.startswith("simulation"))


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_every_experiment_of_the_project_is_valid(path, tmp_path):
    # Real data or not: the files that it names under ${data} are made up here, what they hold is not read.
    for text in _strings(yaml.safe_load(path.read_text())):
        if text.startswith("${data}/"):
            file = tmp_path / text.removeprefix("${data}/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
    experiment = load_experiment(path, data=tmp_path)
    assert experiment.name == path.stem
    assert experiment.source or experiment.genome.is_relative_to(tmp_path)
    assert experiment.model_spec(3).window_bp == experiment.dataset.window_bp
    for compared in experiment.compare.models:
        assert experiment.with_model(compared).model_problems() == []


@pytest.mark.data
@pytest.mark.parametrize("name", ["yeast", "worm"])
def test_experiments_on_real_data_find_their_files_and_contigs(name, data_dir):
    experiment = load_experiment(FOLDER / f"{name}.yaml", data=data_dir)
    plan = plan_build(experiment.genome, experiment.tracks, experiment.dataset, contig_alias=None)
    windows = plan.windows
    split = experiment.dataset.split
    assert set(windows.loc[windows["split"] == "test", "chrom"]) == set(split.test)
    assert set(windows.loc[windows["split"] == "valid", "chrom"]) == set(split.valid)
    assert (windows["split"] == "train").sum() > 1000


def _strings(values):
    if isinstance(values, dict):
        for value in values.values():
            yield from _strings(value)
    elif isinstance(values, str):
        yield values


@pytest.fixture
def write(tmp_path):
    """`write(text)` -> path of an experiment beside a genome and a track sheet."""
    (tmp_path / "genome.fa").write_text(">a\nACGT\n")
    (tmp_path / "targets.txt").write_text("identifier\tfile\n")

    def write_yaml(text):
        path = tmp_path / "experiment.yaml"
        path.write_text(text)
        return path

    return write_yaml


MINIMAL = "name: x\ngenome: genome.fa\ntracks: targets.txt\n"


def problems_of(path, **arguments):
    with pytest.raises(ConfigError) as caught:
        load_experiment(path, **arguments)
    assert caught.value.where == str(path)
    return list(caught.value.problems)


def test_all_mistakes_are_told_at_once_with_the_nearest_name(write):
    path = write(
        """
name: x
genome: genome.fa
trakcs: targets.txt
dataset:
  windowbp: 3
  split: {by: chromosomes, vald: [I]}
model: {preset: basenji, width: -1}
model: {preset: basenji, width: -1}
training:
  epochs: many
  lerning_rate: 3
  augmentation: {max_shift: 2}
"""
    )
    found = problems_of(path)
    for expected in (
        "line 9: key 'model' is there twice",
        "tracks: missing",
        "trakcs: unknown key; did you mean tracks?",
        "dataset.windowbp: unknown key; did you mean window_bp?",
        "dataset.split.vald: unknown key; did you mean valid?",
        "training.lerning_rate: unknown key; did you mean learning_rate?",
        "training.augmentation.max_shift: unknown key; did you mean max_shift_bp?",
    ):
        assert expected in found
    assert any(p.startswith("model.width:") and "-1" in p for p in found)
    assert any(p.startswith("training.epochs:") and "'many'" in p for p in found)
    assert len(found) == 9


def test_parts_that_do_not_fit_each_other(write):
    text = MINIMAL + "dataset: {window_bp: 1000, bin_bp: 100, max_shift_bp: 2}\n"
    assert problems_of(write(text)) == ["training.augmentation.max_shift_bp 3 is above dataset.max_shift_bp 2"]
    found = problems_of(write(MINIMAL + "dataset: {window_bp: 1000, bin_bp: 100}\nmodel: {preset: basenjii}\n"))
    assert any("basenji" in problem for problem in found)
    found = problems_of(write(MINIMAL + "dataset: {window_bp: 1000, bin_bp: 100}\n"))
    assert any("bin_bp" in problem for problem in found)


def test_data_stands_for_the_argument_then_the_environment(write, tmp_path, monkeypatch):
    text = MINIMAL.replace("genome.fa", "${data}/genome.fa")
    monkeypatch.delenv("REGACT_DATA", raising=False)
    assert problems_of(write(text)) == ["genome: ${data} has no value; say --data FOLDER or set REGACT_DATA"]
    monkeypatch.setenv("REGACT_DATA", str(tmp_path))
    assert load_experiment(write(text)).genome == tmp_path / "genome.fa"
    monkeypatch.setenv("REGACT_DATA", "/nowhere")
    assert problems_of(write(text)) == ["genome: /nowhere/genome.fa does not exist"]
    monkeypatch.chdir(tmp_path.parent)
    assert load_experiment(write(text), data=tmp_path.name).genome == tmp_path / "genome.fa"


def test_inputs_are_relative_to_the_file_and_the_store_to_the_working_directory(write, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    experiment = load_experiment(write(MINIMAL + "store: stores/mine\n"))
    assert experiment.genome == tmp_path / "genome.fa"
    assert experiment.store_path == tmp_path / "elsewhere" / "stores" / "mine"
    assert load_experiment(write(MINIMAL)).store_path == Path("stores/x")


def test_overrides_replace_single_values(write):
    experiment = load_experiment(write(MINIMAL), overrides=["model.width=0.5", "training.augmentation.max_shift_bp=1"])
    assert experiment.model.width == 0.5
    assert experiment.training.augmentation.max_shift_bp == 1
    found = problems_of(write(MINIMAL), overrides=["model.widht=0.5", "nonsense", "name.x=3"])
    assert "model.widht: unknown key; did you mean width?" in found
    assert any(problem.startswith("--set nonsense") for problem in found)
    assert any(problem.startswith("--set name.x=3") for problem in found)


def test_the_saved_settings_are_the_experiment_again(planted, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(planted.experiment.settings()))
    assert load_experiment(path) == planted.experiment


def test_no_yaml_and_no_file(write, tmp_path):
    assert "is no YAML" in problems_of(write("a: [1"))[0]
    assert "holds a list" in problems_of(write("- a"))[0]
    assert "cannot be read" in problems_of(tmp_path / "absent.yaml")[0]


def test_a_store_of_other_settings_or_tracks_is_refused(planted, tmp_path):
    assert open_or_build_store(planted.experiment).fingerprint == planted.store.fingerprint
    dataset = planted.experiment.dataset.model_copy(update={"max_shift_bp": 5})
    with pytest.raises(StoreError, match=r"dataset\.max_shift_bp is 3, needed 5"):
        open_or_build_store(planted.experiment.model_copy(update={"dataset": dataset}))
    repacked = planted.experiment.dataset.model_copy(update={"codec": "blosc_lz4", "compression_level": 5})
    assert open_or_build_store(planted.experiment.model_copy(update={"dataset": repacked}))  # the same values
    sheet = planted.experiment.tracks.read_text()
    folder = planted.experiment.tracks.parent
    other = folder / "other.txt"
    other.write_text(sheet.replace("both\tboth.bw", "new\tboth.bw").replace("CAGE:+", "DNASE:+"))
    with pytest.raises(StoreError, match="has no track new; has the further track both; has other values of track fwd"):
        open_or_build_store(planted.experiment.model_copy(update={"tracks": other}))
