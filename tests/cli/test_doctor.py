"""`regact doctor` on this machine."""

from importlib import metadata

import pytest

from regact.cli.doctor import command


def test_names_versions_devices_and_programs(capsys: pytest.CaptureFixture[str]):
    command()
    out = capsys.readouterr().out
    assert f"torch\t{metadata.version('torch')}" in out
    assert "device cpu\t" in out
    assert "\nbowtie2\t" in out
    assert "MISSING" not in out


def test_missing_program_is_named_with_its_package(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    command()
    assert "samtools\tmissing (Debian package samtools)" in capsys.readouterr().out
