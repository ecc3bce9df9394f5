"""What commands leave on a device that is not the CPU's (far_device.py) is what they leave on the CPU."""

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pandas as pd
import pytest
import yaml
from torch.utils import backend_registration

from regact.model import PRESETS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not hasattr(backend_registration, "_setup_privateuseone_for_python_backend"),
        reason="this torch takes no device that is written in Python",
    ),
]

FAR = Path(__file__).with_name("far_device.py")
REGACT = Path(sys.executable).with_name("regact")
CLOCKS = ["seconds", "train_seconds"]


def run(*command, cwd=None):
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def assert_same(far, near):
    """Two tables, the clock apart; the devices round differently."""
    tables = [pd.read_csv(file, sep="," if file.suffix == ".csv" else "\t") for file in (far, near)]
    ours, theirs = (table.drop(columns=CLOCKS, errors="ignore") for table in tables)
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-3, atol=1e-4)


@pytest.fixture
def on_both(planted, tmp_path):
    """Do commands on both devices, in a folder each; return the folders, first the CPU's."""

    def both(*commands):
        values = yaml.safe_load(planted.yaml.read_text())
        values |= {name: str(planted.yaml.with_name(values[name])) for name in ("genome", "tracks")}
        values["model"] = {name: v for name, v in values["model"].items() if not name.startswith("dilated")}
        values["model"]["dropout"] = 0  # each device draws its own
        values["compare"] = {
            "models": ["presets", {"preset": "basenji", "dilated_layers": 2, "dilated_dropout": 0}],
            "budget": {"epochs": 1},
            "pretrain": {"model": {"preset": "standard"}, "epochs": 1, "freeze_epochs": 1, "keep_bins": True},
        }
        for folder, program, device in (("near", [REGACT], "cpu"), ("far", [sys.executable, FAR], "far")):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "planted.yaml").write_text(yaml.safe_dump(values))
            for command in commands:
                run(*program, *command.split(), "--device", device, cwd=tmp_path / folder)
        return tmp_path / "near", tmp_path / "far"

    return both


def test_it_tells_who_mixes_devices():
    code = """
        from far_device import *
        opened = open_device()
        far, near = torch.ones(3, device=FAR), torch.ones(3)
        for mixed in (
            lambda: far + near,
            lambda: near.addcmul_(far, far),
            lambda: torch.nn.Linear(3, 1)(far),
            lambda: torch.nn.Linear(3, 1).to(FAR)(near),
            far.numpy,
        ):
            try:
                mixed()
            except (RuntimeError, TypeError) as error:
                print(error)
    """
    told = run(sys.executable, "-c", dedent(code), cwd=FAR.parent).splitlines()
    assert len(told) == 5
    assert all("all have to be on one device" in line for line in told[:4])


def test_every_preset_trains_and_is_judged_behind_a_frozen_tower(on_both):
    near, far = on_both("compare planted.yaml --out out --set training.augmentation.max_shift_bp=0")
    assert_same(far / "out/results.tsv", near / "out/results.tsv")
    assert set(pd.read_csv(far / "out/results.tsv", sep="\t")["model"]) == {"4-mer ridge", *PRESETS} - {
        "basenji_published"
    }
    assert (far / "out/report.html").is_file()


def test_a_run_goes_on_and_is_judged_by_every_measure(on_both):
    train = "train planted.yaml --preset attention_two_sided --out run --set training.accumulate=2"
    near, far = on_both(
        f"{train} --set training.activation_checkpointing=true --set training.epochs=1",
        f"{train} --set training.activation_checkpointing=true --set training.epochs=3 --resume",
        "evaluate run --split test --ensemble --measures all",
    )
    tables = sorted(file.relative_to(near) for file in near.rglob("*.tsv"))
    assert len(tables) > 8
    for table in (Path("run/log.csv"), *tables):
        assert_same(far / table, near / table)
