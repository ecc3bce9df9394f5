"""`regact report` as users run it, in a process of its own."""

import os
import subprocess
import sys

import pytest

from regact.experiment import train_experiment


def regact(*arguments, cwd=None):
    environment = {name: value for name, value in os.environ.items() if name != "REGACT_DATA"}
    return subprocess.run(
        [sys.executable, "-c", "from regact.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        env=environment,
    )


@pytest.mark.slow
def test_a_page_of_a_run_with_the_region_that_is_asked_for(planted, tmp_path):
    training = planted.experiment.training.model_copy(update={"epochs": 1})
    experiment = planted.experiment.model_copy(update={"training": training})
    train_experiment(experiment, tmp_path / "run", device="cpu", workers=0)
    chrom, start = planted.store.windows.iloc[0][["chrom", "start"]]
    region = f"{chrom}:{start + 1:,}-{start + 512:,}"
    command = ("report", "run", "--out", "page.html", "--device", "cpu", "--region", region, "--show", "CHIP")
    done = regact(*command, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path / 'page.html'}\n"
    text = (tmp_path / "page.html").read_text()
    assert f"<code>regact report run --out page.html --device cpu --region {region} --show CHIP</code>" in text
    assert f"CHIP in {chrom}:{start + 1}-{start + 512}" in text
    assert "CAGE in" not in text

    again = regact(*command, cwd=tmp_path)
    assert (again.returncode, len(again.stderr.strip().splitlines())) == (1, 1)
    assert "already there" in again.stderr

    nowhere = regact("report", "run", "--out", "other.html", "--region", f"{chrom}:1", cwd=tmp_path)
    assert (nowhere.returncode, len(nowhere.stderr.strip().splitlines())) == (1, 1)
    assert "NAME:FIRST-LAST" in nowhere.stderr
    assert not (tmp_path / "other.html").exists()
