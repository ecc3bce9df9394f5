"""The compare section: what each model of it is in full, and what is wrong with one, told with everything else."""

import pytest
import yaml
from pydantic import ValidationError

from regact.errors import ConfigError
from regact.experiment import ComparedModel, ComparisonConfig, load_experiment
from regact.model import ModelConfig

COMPARE = {"models": ["standard", {"preset": "basenji", "dilated_layers": 6}, {"name": "few", "heads": 2}]}


@pytest.fixture
def write(tmp_path):
    for name in ("genome.fa", "targets.txt"):
        (tmp_path / name).touch()

    def write_yaml(**changes):
        values = {
            "name": "x",
            "genome": "genome.fa",
            "tracks": "targets.txt",
            "dataset": {"window_bp": 65536},
            "model": {"preset": "attention_two_sided", "width": 0.1},
            "compare": COMPARE,
        }
        path = tmp_path / "x.yaml"
        path.write_text(yaml.safe_dump(values | changes))
        return path

    return write_yaml


def test_a_model_is_what_it_says_over_the_model_section(write):
    plan = load_experiment(write())
    standard, basenji, few = (plan.with_model(model).model for model in plan.compare.models)
    assert [model.title for model in plan.compare.models] == ["standard", "basenji", "few"]
    assert (standard.preset, standard.width) == ("standard", 0.1)
    assert (basenji.preset, basenji.width, basenji.dilated_layers) == ("basenji", 0.1, 6)
    assert (few.preset, few.heads) == ("attention_two_sided", 2)
    assert few.model_fields_set == {"preset", "width", "heads"}  # defaults that were not asked for stay unset


@pytest.mark.parametrize(
    ("name", "preset", "layers"),
    [("basenji", "basenji", 6), ("few", "attention_two_sided", None), ("exp_constant", "exp_constant", None)],
)
def test_a_model_of_the_comparison_can_be_the_experiments_own(write, name, preset, layers):
    model = load_experiment(write(), model=name).model
    assert (model.preset, model.dilated_layers) == (preset, layers)


def test_what_is_set_by_hand_counts_most(write):
    plan = load_experiment(write(), model="basenji", overrides=["model.dilated_layers=3", "model.width=0.2"])
    assert (plan.model.dilated_layers, plan.model.width) == (3, 0.2)


def test_a_mistyped_setting_of_a_model_is_told(write):
    models = ["standard", {"preset": "basenji", "dilated_layer": 6}]
    with pytest.raises(ConfigError, match=r"models\.1\.dilated_layer: unknown key; did you mean dilated_layers"):
        load_experiment(write(compare={"models": models}))


def test_names_differ():
    with pytest.raises(ValidationError, match="basenji stands there twice"):
        ComparisonConfig(models=("basenji", {"preset": "basenji", "dilated_layers": 6}))
    named = ComparisonConfig(models=("basenji", {"name": "basenji_6", "preset": "basenji", "dilated_layers": 6}))
    assert named.model("basenji_6").dilated_layers == 6
    assert named.model("x") is None
    with pytest.raises(ValidationError, match="neither name nor preset"):
        ComparisonConfig(models=({"heads": 3},))


def test_a_run_of_it_is_saved_without_the_comparison(write):
    plan = load_experiment(write(), model="basenji")
    settings = plan.settings()
    assert "compare" not in settings
    assert settings["model"] == {"preset": "basenji", "width": 0.1, "dilated_layers": 6}


def test_over_leaves_both_as_they_were():
    common, model = ModelConfig(width=0.5), ComparedModel(preset="basenji", dilated_layers=6)
    assert model.over(common) == ModelConfig(preset="basenji", width=0.5, dilated_layers=6)
    assert common == ModelConfig(width=0.5)
