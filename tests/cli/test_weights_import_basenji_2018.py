"""`regact weights import-basenji-2018` from the command line: what it prints, which tracks it names, how it fails."""

import numpy as np
import pytest

from regact.cli.app import main
from regact.training import read_card


@pytest.fixture
def checkpoint(tmp_path, module_at):
    """One layer of a tower and the head's block, two tracks; `params.txt` beside it."""
    tensors, channels = {}, 4
    for name, width, filters in (("cnn0", 5, 3), ("cnn1", 1, 6)):
        tensors[f"{name}/conv1d/kernel"] = np.ones((width, channels, filters), np.float32)
        for norm in ("gamma", "beta", "moving_mean", "moving_variance"):
            tensors[f"{name}/batch_normalization/{norm}"] = np.ones(filters, np.float32)
        channels = filters
    tensors |= {"final/conv1d/kernel": np.ones((1, 6, 2), np.float32), "final/conv1d/bias": np.zeros(2, np.float32)}
    (tmp_path / "params.txt").write_text("cnn_pool 4\ncnn_pool 1\nbatch_buffer 8\n")
    return module_at("pretrained/checkpoint_writer.py").write_checkpoint(tmp_path / "model.tf", tensors)


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(["weights", "import-basenji-2018", *map(str, arguments)])
    return ended.value.code


def test_prints_the_folder_and_what_the_network_is(checkpoint, tmp_path, capsys):
    params = tmp_path / "params.txt"
    assert run(checkpoint, tmp_path / "run", "--params", params, "--window-bp", 32) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{tmp_path / 'run'}\n"
    assert "windows of 32 bp, 4 bins of 4 bp (2 cropped at each end), 2 tracks; elu1 link, N as 0.25" in printed.err


def test_tracks_come_from_samples_or_a_sheet(checkpoint, tmp_path):
    options = [checkpoint, tmp_path / "run", "--params", tmp_path / "params.txt", "--window-bp", 32, "--overwrite"]
    (tmp_path / "samples.txt").write_text("ENCFF1\ta.bw\tDNASE:liver\nCNhs2\tb.bw\n")
    assert run(*options, "--samples", tmp_path / "samples.txt") == 0
    card = read_card(tmp_path / "run")
    assert (card["tracks"], card["descriptions"]) == (["ENCFF1", "CNhs2"], ["DNASE:liver", ""])
    (tmp_path / "sheet.tsv").write_text("identifier\tfile\tstrand_pair\nplus\tgone.bw\t1\nminus\tgone.bw\t0\n")
    assert run(*options, "--tracks", tmp_path / "sheet.tsv") == 0
    assert read_card(tmp_path / "run")["strand_pair"] == [1, 0]
    assert run(*options, "--tracks", tmp_path / "sheet.tsv", "--samples", tmp_path / "samples.txt") == 1


def test_every_mismatch_is_a_line(checkpoint, tmp_path, capsys):
    assert run(checkpoint, tmp_path / "run") == 1
    assert (
        "layers of its tower: 1; the published one has 6; give the pools (cnn_pool) in --params"
        in capsys.readouterr().err
    )
    (tmp_path / "params.txt").write_text("cnn_pool 4\ncnn_pool 1\nnum_targets 3\nlink exp\ntarget_pool 8\n")
    assert run(checkpoint, tmp_path / "run", "--params", tmp_path / "params.txt", "--crop-bins", 0) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert [line.rpartition(": ")[2].split()[0] for line in lines] == ["num_targets", "target_pool"]
    assert not (tmp_path / "run").exists()
