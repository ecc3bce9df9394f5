import pytest
import torch
from pydantic import ValidationError

from regact.errors import ConfigError
from regact.model import PRESETS, ModelConfig, build_model, model_spec, one_hot, preset_spec
from regact.model.spec import AttentionSpec, DilatedSpec, PoolingSpec

# The rows of the paper's table of results: dilated convolutions, heads of each attention layer, distance function.
PAPER = {
    "basenji": (7, (), None),
    "attention_two_sided": (0, (5,), "two_sided"),
    "attention_stacked": (0, (5, 5), "variable"),
    "attention_variable": (0, (5,), "variable"),
    "attention_variable_16": (0, (16,), "variable"),
    "exp_constant": (0, (), "constant"),
    "exp_variable": (0, (), "variable"),
    "standard": (0, (), None),
    "attention_none": (0, (5,), "none"),
}


def test_presets_are_the_papers_and_the_published_one():
    assert set(PRESETS) == set(PAPER) | {"basenji_published"}


@pytest.mark.parametrize("name", PAPER)
def test_preset_is_the_papers_row(name: str):
    dilated, heads, distance = PAPER[name]
    spec = preset_spec(name, tracks=4229)
    assert spec.tower.filters == (312, 368, 435, 514, 607, 717)
    assert spec.tower.widths == (22, 1, 6, 6, 6, 3)
    assert spec.tower.pools == (1, 2, 4, 4, 4, 1)
    assert (spec.bin_bp, spec.bins, spec.head.filters, spec.head.link) == (128, 1024, 1365, "exp")
    assert sum(layer.layers for layer in spec.context if isinstance(layer, DilatedSpec)) == dilated
    assert tuple(layer.heads for layer in spec.context if isinstance(layer, AttentionSpec)) == heads
    for layer in spec.context:
        if not isinstance(layer, DilatedSpec):
            assert layer.distance.kind == distance
            assert isinstance(layer, PoolingSpec) == name.startswith("exp")
            assert layer.distance.half_window_bins == (512 if distance == "two_sided" else None)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_runs_forward_and_back(name: str, small_spec, codes):
    spec = small_spec(name)
    model = build_model(spec, seed=0)
    z = model(one_hot(codes))
    assert z.shape == (3, 3, 16)
    z.exp().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("preset", ["attention_none", "exp_constant"])
@pytest.mark.parametrize("distance", ["none", "constant", "variable", "two_sided"])
def test_every_cell_of_the_grid_builds(preset: str, distance: str, small_spec, codes):
    spec = small_spec(preset, distance=distance, heads=3)
    assert build_model(spec, seed=0)(one_hot(codes)).shape == (3, 3, 16)
    assert type(spec).model_validate_json(spec.model_dump_json()) == spec


def test_width_scales_tower_dilated_layers_and_head():
    spec = preset_spec("basenji", tracks=1, width=0.1)
    assert spec.tower.filters == (31, 37, 44, 51, 61, 72)
    assert (spec.context[0].filters, spec.head.filters) == (11, 137)


def test_numbers_given_outright_are_not_scaled():
    spec = preset_spec(
        "basenji", tracks=1, width=0.1, filters=(8, 9), widths=(5, 3), pools=(4, 4), dilated_filters=7, head_filters=6
    )
    assert (spec.tower.filters, spec.context[0].filters, spec.head.filters, spec.bin_bp) == ((8, 9), 7, 6, 16)


@pytest.mark.parametrize(("window_bp", "half"), [(131_072, 512), (65_536, 256), (16_384, 64)])
def test_two_sided_knows_half_its_window(window_bp: int, half: int):
    assert (
        preset_spec("attention_two_sided", tracks=1, window_bp=window_bp).context[0].distance.half_window_bins == half
    )


def test_layers_and_heads_and_alphas():
    three = preset_spec("attention_two_sided", tracks=1, layers=3, heads=2)
    assert [layer.heads for layer in three.context] == [2, 2, 2]
    assert three.context[0].distance != three.context[1].distance
    lists = preset_spec("attention_stacked", tracks=1, heads=[2, 4])
    assert [layer.heads for layer in lists.context] == [2, 4]
    alphas = preset_spec("exp_constant", tracks=1, alphas=[0.5, 0.25])
    assert (alphas.context[0].heads, alphas.context[0].distance.alphas) == (2, (0.5, 0.25))


@pytest.mark.parametrize(
    ("config", "data", "messages"),
    [
        ({"preset": "atention_none"}, {}, ["'atention_none' is unknown; did you mean attention_none?"]),
        ({"preset": "standard", "heads": 3}, {}, ["heads: without meaning for preset standard"]),
        ({"preset": "basenji", "heads": 3, "layers": 2}, {}, ["layers, heads: without meaning for preset basenji"]),
        ({"preset": "exp_constant", "dilated_layers": 3}, {}, ["dilated_layers: without meaning"]),
        (
            {"preset": "standard", "filters": [3]},
            {"bin_bp": 64},
            ["differ in length (filters 1, widths 6", "bin_bp 64"],
        ),
        ({"preset": "standard"}, {"window_bp": 1000}, ["window_bp 1000 is no multiple of 128"]),
        ({"preset": "standard"}, {"crop_bins": 512}, ["crop_bins 512 at either end leave none of the 1024 bins"]),
        ({"preset": "attention_stacked", "heads": [1, 2], "layers": 3}, {}, ["layers is 3, but heads lists 2"]),
        ({"preset": "exp_variable", "heads": [1, 2]}, {}, ["heads lists 2 layers; plain pooling has one"]),
        ({"preset": "attention_none", "alphas": [1.0]}, {}, ["distance none has no alphas"]),
        ({"preset": "attention_variable", "alphas": [1.0], "heads": 2}, {}, ["1 alphas for 2 heads"]),
        ({"preset": "attention_none", "alpha_scale": 2.0}, {}, ["distance none has no decays"]),
        (
            {"preset": "attention_two_sided", "alpha_scale": 1e9},
            {},
            ["Input should be greater than 0, found 0.0 (heights.1)"],
        ),
        ({"preset": "basenji", "alpha_scale": 2.0}, {}, ["alpha_scale: without meaning for preset basenji"]),
        ({"preset": "attention_none", "renormalise": True}, {}, ["renormalise belongs to distance_place"]),
    ],
)
def test_what_does_not_fit_is_named(config: dict, data: dict, messages: list[str]):
    with pytest.raises(ConfigError) as error:
        model_spec(ModelConfig(**config), **{"tracks": 1, "window_bp": 131_072, **data})
    for message in messages:
        assert any(message in problem for problem in error.value.problems)


def test_all_problems_come_at_once():
    config = ModelConfig(preset="attention_none", alphas=[1.0], renormalise=True, filters=[1, 2])
    with pytest.raises(ConfigError) as error:
        model_spec(config, tracks=1, window_bp=1000, bin_bp=64)
    assert len(error.value.problems) == 5


@pytest.mark.parametrize(
    "wrong", [{"widht": 1}, {"width": 0}, {"heads": 0}, {"dropout": 1.0}, {"link": "log"}, {"distance": "gauss"}]
)
def test_wrong_values_are_refused(wrong: dict):
    with pytest.raises(ValidationError):
        ModelConfig(**wrong)


def test_config_is_frozen():
    with pytest.raises(ValidationError):
        ModelConfig().width = 2


def test_spec_is_built_in_the_type_asked_for(small_model):
    assert {p.dtype for p in small_model().parameters()} == {torch.float32}
