"""`regact weights export` from the command line."""

import pytest

from regact.cli.app import main
from regact.model import build_model, preset_spec
from regact.pretrained import from_pretrained, write_imported_run


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(["weights", "export", *map(str, arguments)])
    return ended.value.code


@pytest.fixture
def trained(tmp_path):
    model = build_model(preset_spec("standard", tracks=2, window_bp=1024, width=0.02), seed=0)
    return write_imported_run(model, tmp_path / "run", sheet=None, source={"format": "a test", "files": []})


def test_prints_the_folder(trained, tmp_path, capsys):
    assert run(trained, tmp_path / "liver", "--license", "cc-by-4.0") == 0
    assert capsys.readouterr().out == f"{tmp_path / 'liver'}\n"
    assert "license: cc-by-4.0" in (tmp_path / "liver" / "README.md").read_text()
    assert from_pretrained(tmp_path / "liver").spec.tracks == 2


def test_a_folder_that_is_there_or_no_run_is_one_line(trained, tmp_path, capsys):
    run(trained, tmp_path / "liver")
    capsys.readouterr()
    assert run(trained, tmp_path / "liver") == 1
    assert run(tmp_path, tmp_path / "other") == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[3].split(";")[0] for line in lines] == ["already there", "no card.json in it"]


def test_a_repository_needs_a_client_that_may_write(trained, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")  # where nobody answers
    monkeypatch.setenv("HF_TOKEN", "hf_any")
    assert run(trained, tmp_path / "liver", "--push-to-hub", "lab/liver") == 1
    assert "regact: error: lab/liver: the hub's client says: " in capsys.readouterr().err
    assert (tmp_path / "liver").is_dir()
