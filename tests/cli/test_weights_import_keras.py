"""`regact weights import-keras` from the command line: what it prints, which tracks it names, how it fails."""

import json

import numpy as np
import pytest

from regact.cli.app import main
from regact.training import read_card


@pytest.fixture
def files(tmp_path, module_at):
    """A convolution, a GELU and two heads of two and three tracks; the file has the first."""
    session = module_at("pretrained/keras_numpy.py").NumpySession()
    session.input()
    x = session.max_pool(session.conv1d(np.zeros((64, 4)), 6, 5), 4)
    session.dense(session.activation(session.crop(x, 2), "gelu_tanh"), 2, "softplus")
    module_at("pretrained/keras_writer.py").write_keras_file(tmp_path / "model.h5", session.layers)
    trunk = [
        {"name": "conv_dna", "filters": 6, "kernel_size": 5, "pool_size": 4, "activation": "linear"},
        {"name": "Cropping1D", "cropping": 2},
    ]
    heads = {
        f"head_{name}": {"name": "final", "units": n, "activation": "softplus"} for name, n in (("a", 2), ("b", 3))
    }
    model = {"seq_length": 64, "activation": "gelu", "trunk": trunk, **heads}
    (tmp_path / "params.json").write_text(json.dumps({"model": model}))
    return [tmp_path / "model.h5", tmp_path / "run", "--params", tmp_path / "params.json"]


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(["weights", "import-keras", *map(str, arguments)])
    return ended.value.code


def test_prints_the_folder_and_what_the_network_is(files, tmp_path, capsys):
    assert run(*files) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{tmp_path / 'run'}\n"
    assert "windows of 64 bp, 12 bins of 4 bp (2 cropped at each end), 2 tracks; softplus link, N as 0" in printed.err
    source = read_card(tmp_path / "run")["source"]
    assert (source["head"], source["gelu"]) == ("head_a", "tanh")


def test_tracks_gelu_and_window_are_those_asked_for(files, tmp_path):
    (tmp_path / "targets.txt").write_text(
        "\tidentifier\tfile\tstrand_pair\n0\tplus\tgone.w5\t1\n1\tminus\tgone.w5\t0\n"
    )
    options = ["--tracks", tmp_path / "targets.txt", "--gelu", "erf", "--window-bp", 128, "--head", "a"]
    assert run(*files, *options) == 0
    card = read_card(tmp_path / "run")
    assert (card["tracks"], card["strand_pair"]) == (["plus", "minus"], [1, 0])
    assert (card["source"]["gelu"], card["model"]["window_bp"]) == ("erf", 128)


def test_repeated_identifiers_of_a_published_table_are_numbered(files, tmp_path, capsys):
    (tmp_path / "targets.txt").write_text("\tidentifier\tfile\n0\ta\tgone.w5\n1\ta\tgone.w5\n")
    assert run(*files, "--tracks", tmp_path / "targets.txt") == 0
    assert read_card(tmp_path / "run")["tracks"] == ["a", "a_2"]
    assert "1 identifiers stand there again and were numbered (a is now a_2)" in capsys.readouterr().err


def test_what_does_not_fit_is_one_line_a_problem(files, tmp_path, capsys):
    assert run(*files, "--head", "b") == 1
    printed = capsys.readouterr()
    assert "dense (head_b[0] final) has kernel of shape (6, 2); needed (6, 3)" in printed.err
    assert not (tmp_path / "run").exists()
    assert run(*files[:2], "--params", tmp_path / "absent.json") == 1
    assert run(*files, "--gelu", "quick") == 2
