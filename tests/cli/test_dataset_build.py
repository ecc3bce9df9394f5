"""`regact dataset build` and `dataset info`."""

import numpy as np
import pyBigWig
import pytest

from regact.cli import main
from regact.dataset import SplitByFolds, SplitByFraction, SplitByRegions, open_store


@pytest.fixture
def options(tmp_path, monkeypatch):
    """The options that name a genome of 8 kb and two tracks in the working directory."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    with (tmp_path / "genome.fa").open("w") as fasta:
        for chrom in ("I", "II"):
            fasta.write(f">{chrom}\n{''.join(rng.choice(list('ACGT'), 4096))}\n")
    for name in ("a", "b"):
        with pyBigWig.open(f"{name}.bw", "w") as file:
            file.addHeader([("I", 4096), ("II", 4096)])
            for chrom in ("I", "II"):
                file.addEntries(chrom, 0, values=rng.poisson(1.0, 4096).astype(float).tolist(), span=1, step=1)
    (tmp_path / "targets.txt").write_text("identifier\tfile\tdescription\na\ta.bw\tCAGE:x\nb\tb.bw\tDNASE:y\n")
    return ["--genome", "genome.fa", "--tracks", "targets.txt", "--window-bp", "512", "--bin-bp", "32"]


def run(*arguments, code=0):
    with pytest.raises(SystemExit) as exit_:
        main([str(argument) for argument in arguments])
    assert exit_.value.code == code


def test_from_options_to_a_store_and_its_card(options, capsys):
    run("dataset", "build", *options, "--out", "store", "--valid", "II", "--set", "dataset.max_shift_bp=0")
    printed = capsys.readouterr()
    assert printed.out == "store\n"
    assert "windows: 8 train, 8 valid, 0 test" in printed.err
    assert open_store("store").max_shift_bp == 0

    run("dataset", "info", "store")
    card = capsys.readouterr().out
    assert "windows\t16 of 512 bp" in card
    assert "train\t8\t1\t1\t4096\t100.0%" in card
    assert "CAGE\t1" in card
    assert "sum\tnone\tnone\t1\t1\t2" in card
    assert "split\tby chromosomes: valid II, test none" in card


def test_an_experiment_gives_what_options_do_not(options, tmp_path, capsys):
    folder = tmp_path / "experiments"
    folder.mkdir()
    (folder / "x.yaml").write_text(
        "name: x\ngenome: ../genome.fa\ntracks: ../targets.txt\n"
        "dataset: {window_bp: 1024, split: {by: chromosomes, valid: [II]}}\n"
        "model: {preset: standard}\n"
    )
    (tmp_path / "black.bed").write_text("I\t0\t10\n")
    run("dataset", "build", "experiments/x.yaml", "--blacklist", "black.bed", "--window-bp", 512)
    assert capsys.readouterr().out == "stores/x\n"
    store = open_store("stores/x")
    assert (store.window_bp, store.header.config.blacklist) == (512, tmp_path / "black.bed")


@pytest.mark.parametrize(
    ("arguments", "split"),
    [
        (["--valid", "0.25"], SplitByFraction(valid=0.25, test=0)),
        (["--valid", "0.2", "--test", "0.3"], SplitByFraction(valid=0.2, test=0.3)),
        (["--folds", "3"], SplitByFolds(k=3)),
        (["--regions", "mine.bed"], SplitByRegions),
    ],
)
def test_every_kind_of_split_has_its_options(options, tmp_path, arguments, split):
    (tmp_path / "mine.bed").write_text("I\t0\t1024\ttrain\nII\t0\t512\tvalid\n")
    run("dataset", "build", *options, "--out", "store", *arguments)
    found = open_store("store").header.config.split
    assert found == split if not isinstance(split, type) else isinstance(found, split)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--folds", "3", "--valid", "I"], "--valid and --test, --folds, and --regions exclude each other"),
        (["--valid", "0.1", "--test", "II"], "--valid and --test are both chromosomes, or one fraction each"),
        (["--valid", "I", "--set", "training.epochs=3"], "training: unknown; without an experiment"),
        (["--bin-bp", "100"], "window_bp 512 is not a multiple of bin_bp 100"),
        (["--set", "dataset.windw_bp=4"], "windw_bp: unknown key; did you mean window_bp?"),
        (["--valid", "chrII"], "'chrII' matches no chromosome of I, II; did you mean 'II'?"),
    ],
)
def test_wrong_options_are_one_line_each(options, capsys, arguments, line):
    run("dataset", "build", *options, "--out", "store", *arguments, code=1)
    error = capsys.readouterr().err
    assert line in error
    assert all(text.startswith("regact: error: ") for text in error.splitlines())


def test_missing_options_are_told_together(capsys):
    run("dataset", "build", "--genome", "genome.fa", code=1)
    error = capsys.readouterr().err
    assert "--tracks is missing" in error
    assert "--out is missing" in error


def test_what_is_no_store_is_one_line(tmp_path, capsys):
    run("dataset", "info", tmp_path, code=1)
    assert "not a Zarr group" in capsys.readouterr().err
