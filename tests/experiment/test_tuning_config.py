"""The `tune` section: kinds of domains, and what is wrong with one."""

import pytest
from pydantic import ValidationError

from regact.errors import ConfigError
from regact.experiment import Domain, TuningConfig
from regact.settings import read_settings


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "needed {choose"),
        ({"low": 1}, "needed {choose"),
        ({"low": 2, "high": 1}, "low 2 is not below high 1"),
        ({"low": 0, "high": 1, "log": True}, "low 0 has no logarithm"),
        ({"choose": [1], "low": 0}, "choose stands alone; leave out low"),
        ({"choose": []}, "at least one"),
        ({"choose": [1, 1]}, "needed different values"),
        ({"low": 1, "high": 2, "log": True, "step": 1}, "step goes with a plain range"),
        ({"low": 1, "high": 2, "length": 2, "scale": [1]}, "leave one of them out"),
    ],
)
def test_what_is_no_domain(fields, message):
    with pytest.raises(ValidationError, match=message):
        Domain(**fields)


def test_exponents_that_yaml_takes_for_text_are_numbers(tmp_path):
    file = tmp_path / "tune.yaml"
    file.write_text("space:\n  a: {low: 1e-4, high: 1e-2, log: true}\n  b: {choose: [1e-4, valid]}\n")
    space = read_settings(file, TuningConfig).space
    assert (space["a"].low, space["a"].high) == (1e-4, 1e-2)
    assert space["b"].choose == (1e-4, "valid")


def test_every_problem_at_once(tmp_path):
    file = tmp_path / "tune.yaml"
    file.write_text("space:\n  model.heads: {chose: [1, 2]}\n  model.width: {low: 2, high: 1}\ntrails: 3\n")
    with pytest.raises(ConfigError) as caught:
        read_settings(file, TuningConfig)
    assert sorted(problem.split(";")[0] for problem in caught.value.problems) == [
        "space.model.heads.chose: unknown key",
        "space.model.width: low 2 is not below high 1",
        "trails: unknown key",
    ]
