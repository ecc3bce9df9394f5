"""`regact simulate`, as users run it; and the YAML files that the project ships for it."""

from pathlib import Path

import pytest
import yaml

from regact.cli.app import main
from regact.experiment import Experiment
from regact.settings import read_settings
from regact.simulation import SimulationConfig, load_truth

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    path = tmp_path / "simulation.yaml"
    path.write_text("window_bp: 16384\nchromosomes: {chr1: 60000}\n")
    return path


def test_writes_the_folder_and_prints_its_path(settings_file, tmp_path, capsys):
    out = tmp_path / "out"
    assert run("simulate", settings_file, "--out", out, "--seed", 9, "--workers", 0, "--set", "background.gc=0.5") == 0
    assert capsys.readouterr().out == f"{out}\n"
    config = load_truth(out).config
    assert (config.seed, config.background.gc, config.chromosomes) == (9, 0.5, {"chr1": 60_000})


def test_a_mistyped_setting_is_one_line_and_leaves_nothing(settings_file, tmp_path, capsys):
    out = tmp_path / "out"
    assert run("simulate", settings_file, "--out", out, "--set", "layout.gap=10", "--set", "seed=-1") == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "layout.gap: unknown key; did you mean gap_bp?" in lines[0] + lines[1]
    assert not out.exists()


@pytest.mark.parametrize("path", sorted(EXPERIMENTS.glob("simulation*.yaml")), ids=lambda path: path.name)
def test_shipped_settings_are_valid(path):
    read_settings(path, SimulationConfig)


def test_the_demo_trains_on_the_windows_that_its_genome_was_made_for():
    genome = read_settings(EXPERIMENTS / "simulation_demo.yaml", SimulationConfig)
    demo = Experiment.model_validate(yaml.safe_load((EXPERIMENTS / "demo.yaml").read_text()))
    assert demo.dataset.window_bp == genome.window_bp
    assert {*demo.dataset.split.valid, *demo.dataset.split.test} < set(genome.chromosomes)


def test_reads_are_simulated_from_the_tracks_of_a_simulated_genome(settings_file, tmp_path, capsys):
    genome, reads = tmp_path / "genome", tmp_path / "reads"
    assert run("simulate", settings_file, "--out", genome, "--workers", 0) == 0
    arguments = ("--genome", genome / "genome.fa", "--tracks", genome / "truth" / "targets.txt", "--out", reads)
    chosen = ("--select", "CAGE_liver", "--set", "reads=500", "--set", "paired=true", "--seed", 3, "--workers", 0)
    capsys.readouterr()
    assert run("simulate-reads", *arguments, *chosen) == 0
    assert capsys.readouterr().out == f"{reads}\n"
    assert sorted(path.name for path in reads.iterdir()) == [
        "CAGE_liver_R1.fastq.gz",
        "CAGE_liver_R2.fastq.gz",
        "reads.yaml",
        "samples.tsv",
        "truth",
    ]
    assert "seed: 3" in (reads / "reads.yaml").read_text()


def test_mistakes_in_the_settings_of_reads_are_told_at_once(tmp_path, capsys):
    mistakes = ("--set", "read=5", "--set", "gc_bias.width=0")
    assert run("simulate-reads", "--genome", "g.fa", "--tracks", "t.txt", "--out", tmp_path / "r", *mistakes) == 1
    text = capsys.readouterr().err
    assert "read: unknown key; did you mean reads?" in text
    assert "gc_bias.width" in text
