"""`regact compare` from the command line."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

MODELS = "[{name: ours, preset: basenji, dilated_layers: 2}]"


@pytest.mark.slow
def test_one_seed_is_that_of_a_list_in_the_folder_of_none(planted, tmp_path):
    command = [
        Path(sys.executable).with_name("regact"),
        "compare",
        planted.yaml,
        "--out",
        tmp_path / "out",
        "--seed",
        "3",
    ]
    settings = [
        f"compare.models={MODELS}",
        "compare.seeds=[1, 2]",
        "compare.budget={epochs: 1}",
        "compare.baseline=false",
    ]
    given = [f"--set={setting}" for setting in settings]
    done = subprocess.run(
        [*map(str, command), *given, "--device", "cpu"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [run.name for run in (tmp_path / "out/runs").iterdir()] == ["ours"]
    settings = yaml.safe_load((tmp_path / "out/runs/ours/config.yaml").read_text())
    assert (settings["training"]["seed"], settings["model"]["seed"]) == (3, 3)
