import pytest

from regact.cli.app import main
from regact.model import PRESETS, build_model, preset_spec, save_model


def show(capsys, *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main(["model", "show", *map(str, arguments)])
    streams = capsys.readouterr()
    return end.value.code or 0, streams.out, streams.err


def test_presets_are_listed(capsys):
    code, out, _ = show(capsys)
    assert code == 0
    assert [line.split("\t")[0] for line in out.splitlines()[1:]] == list(PRESETS)


def test_layers_totals_and_receptive_field(capsys):
    code, out, _ = show(capsys, "basenji")
    lines = out.splitlines()
    assert code == 0
    assert lines[1].split("\t") == ["tower", "conv 22", "312 x 131072", "28080", "3.599"]
    assert lines[-2].split("\t") == ["", "in all", "4229 x 1024", "15780532", "122.966"]
    assert lines[-1] == "receptive field of a bin: 65,639 bp (reach 32,512 bp)"


def test_settings_change_the_preset(capsys):
    _, out, _ = show(capsys, "basenji", "--set", "dilated_layers=2", "--set", "width=0.1", "--n-tracks", 3)
    assert sum("dilation" in line for line in out.splitlines()) == 2
    assert "3 x 1024" in out


def test_run_is_shown_as_it_was_trained(capsys, tmp_path):
    save_model(build_model(preset_spec("standard", tracks=7, window_bp=4096, width=0.02)), tmp_path)
    _, out, _ = show(capsys, tmp_path)
    assert "7 x 32" in out
    code, _, err = show(capsys, tmp_path, "--set", "width=1")
    assert (code, err) == (1, "regact: error: --set: a run's model is as it was trained; leave --set out\n")


def test_a_folder_called_like_a_preset_is_not_taken_for_it(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_model(build_model(preset_spec("standard", tracks=7, window_bp=4096, width=0.02)), tmp_path / "basenji")
    assert "4229 x 1024" in show(capsys, "basenji")[1]
    assert "7 x 32" in show(capsys, "./basenji")[1]


def test_drawing_is_written(capsys, tmp_path):
    code, _, err = show(capsys, "standard", "--set", "width=0.1", "--out", tmp_path / "standard.svg")
    assert code == 0
    assert "standard.svg" in err
    assert (tmp_path / "standard.svg").stat().st_size > 1000


def test_every_mistake_is_told_at_once(capsys):
    code, out, err = show(capsys, "basenji", "--set", "widht=0.1", "--set", "heads", "--set", "dropout=2")
    assert (code, out) == (1, "")
    assert "widht: unknown key; did you mean width?" in err
    assert "--set heads: no field=value" in err
    assert "dropout" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("basenjy",), "'basenjy' is unknown; did you mean basenji?"),
        (("standard", "--window-bp", 1000), "window_bp 1000 is no multiple of 128"),
        (("standard", "--set", "heads=2"), "heads: without meaning for preset standard"),
    ],
)
def test_what_does_not_fit_is_one_line(capsys, arguments, message):
    code, _, err = show(capsys, *arguments)
    assert code == 1
    assert message in err
    assert err.count("\n") == 1
