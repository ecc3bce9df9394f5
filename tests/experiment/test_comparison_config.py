"""The compare section: what each model of it is in full, and what is wrong with one, told with everything else."""

import pytest
import yaml
from pydantic import ValidationError

from regact.errors import ConfigError
from regact.experiment import ComparedModel, ComparisonConfig, load_experiment
from regact.experiment.comparison_config import FIGURE_6, Budget
from regact.model import PRESETS, ModelConfig, preset_spec
from regact.training import TrainingConfig

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


def test_presets_stands_for_the_rows_of_figure_6():
    compared = ComparisonConfig.model_validate({"models": "presets"})
    assert [model.title for model in compared.models] == list(FIGURE_6)
    assert set(FIGURE_6) == set(PRESETS) - {"basenji_published"}


def test_grid_stands_for_every_distance_with_every_way_to_use_it():
    compared = ComparisonConfig.model_validate({"models": "grid"})
    cells = set()
    for model in compared.models:
        settings = dict(model.overrides)
        (layer,) = preset_spec(settings.pop("preset"), tracks=2, window_bp=65_536, **settings).context
        place = layer.distance_place if layer.kind == "attention" and layer.distance.kind != "none" else "any"
        cells.add((layer.kind, layer.distance.kind, place))
    distances = ("constant", "variable", "two_sided")
    assert cells == {
        *(("pooling", distance, "any") for distance in ("none", *distances)),
        ("attention", "none", "any"),
        *(("attention", distance, place) for distance in distances for place in ("before_softmax", "after_softmax")),
    }
    assert len(compared.models) == len(cells)
    for model in compared.models:  # a preset's name is used for that preset alone
        if model.title in PRESETS:
            assert model.overrides == {"preset": model.title}


def test_a_model_listed_besides_takes_the_place_of_the_one_of_its_name():
    six = {"preset": "basenji", "dilated_layers": 6}
    compared = ComparisonConfig.model_validate({"models": [six, "presets", {"name": "more", "preset": "basenji"}]})
    assert [model.title for model in compared.models] == [*FIGURE_6, "more"]
    assert compared.models[0].dilated_layers == 6
    both = ComparisonConfig.model_validate({"models": ["grid", "presets"]})
    assert len(both.models) == 11 + 9 - 5  # five cells are presets
    with pytest.raises(ValidationError, match="basenji stands there twice"):
        ComparisonConfig.model_validate({"models": ["presets", six, "basenji"]})


def test_a_budget_is_the_only_limit():
    training = TrainingConfig(epochs=7, max_steps=100, max_minutes=3, patience=4)
    epochs, seconds, converged = (
        Budget.model_validate(budget).limit(training) for budget in ({"epochs": 3}, {"seconds": 90}, "converged")
    )
    limits = [(each.epochs, each.max_steps, each.max_minutes, each.patience) for each in (epochs, seconds, converged)]
    assert limits == [(3, None, None, None), (1_000_000, None, 1.5, None), (7, None, None, 4)]
    assert Budget(converged=True).limit(TrainingConfig(patience=None)).patience == 10


@pytest.mark.parametrize(
    ("compare", "problem"),
    [
        ({"budget": {"epochs": 3, "seconds": 4}}, r"compare\.budget: needed one of"),
        ({"budget": {}}, r"compare\.budget: needed one of"),
        ({"budget": {"epoch": 3}}, r"compare\.budget\.epoch: unknown key; did you mean epochs"),
        ({"budget": {"seconds": 0}}, r"compare\.budget\.seconds: .* greater than 0"),
        ({"seeds": [1, 2, 1]}, r"compare\.seeds: 1, 2, 1: a seed stands there twice"),
        ({"seeds": [-1]}, r"compare\.seeds\.0"),
        ({"seeds": 3}, r"compare\.seeds: .* write \[3\]"),
    ],
)
def test_what_is_wrong_with_seeds_or_budget_is_told(write, compare, problem):
    with pytest.raises(ConfigError, match=problem):
        load_experiment(write(compare=compare))


def test_a_schedule_with_an_end_needs_a_budget_with_one(write):
    training = {"schedule": "warmup_cosine"}
    with pytest.raises(ConfigError, match=r"budget in seconds has no last step .* needed schedule: constant"):
        load_experiment(write(training=training, compare={"budget": {"seconds": 60}}))
    plan = load_experiment(write(training=training, compare={"budget": {"epochs": 6}}))
    assert (plan.training.epochs, plan.under_budget().training.epochs) == (100, 6)
