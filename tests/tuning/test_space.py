"""Search spaces: what is drawn, which settings follow from it, and what is wrong with a space."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.errors import ConfigError
from regact.experiment import Domain
from regact.tuning import Dimension, search_space, with_space
from regact.tuning.candidate import candidate
from regact.tuning.paper_space import paper_space


@given(low=st.floats(1e-6, 1e3), factor=st.floats(1.1, 1e4), share=st.floats(0, 1), log=st.booleans())
def test_a_share_of_a_range_and_back(low: float, factor: float, share: float, log: bool):
    dimension = Dimension("x", low=low, high=low * factor, log=log)
    value = dimension.at(share)
    assert low <= value <= low * factor
    expected = low * factor**share if log else low + share * (low * factor - low)
    assert value == pytest.approx(expected, rel=1e-9)
    assert dimension.share(value) == pytest.approx(share, abs=1e-6)


@given(share=st.floats(0, 1))
def test_whole_numbers_steps_and_labels(share: float):
    assert isinstance(Dimension("x", low=2, high=9, whole=True).at(share), int)
    assert Dimension("x", low=8, high=64, step=8, whole=True).at(share) % 8 == 0
    assert Dimension("x", labels=("a", "b", "c")).at(share) == "abc"[min(2, int(3 * share))]


def drawn_at(space, share):
    return {dimension.name: dimension.at(share) for dimension in space.dimensions}


def test_settings_follow_from_what_is_drawn(study_of):
    space = search_space(
        study_of(
            {
                "model.dilated_layers": {"choose": [1, 3]},
                "model.head_filters": {"low": 8, "high": 32},
                "training.learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
                "training.schedule": {"choose": ["constant", "warmup_cosine"]},
                "training.patience": {"choose": [None, 3]},
                "model.pools": {"choose": [[4, 8], [8, 4]]},
                "model.filters": {"scale": [16, 24], "low": 0.5, "high": 2},
                "training.augmentation.max_shift_bp": {"low": 0, "high": 3},
            }
        )
    )
    assert space.values(drawn_at(space, 0.5)) == {
        "model.dilated_layers": 3,
        "model.head_filters": 20,
        "training.learning_rate": pytest.approx(1e-3),
        "training.schedule": "warmup_cosine",
        "training.patience": 3,
        "model.pools": [8, 4],
        "model.filters": [20, 30],
        "training.augmentation.max_shift_bp": 2,
    }
    assert space.values(drawn_at(space, 0))["training.patience"] is None


ATTENTION = {"preset": "exp_constant", "filters": [8, 8], "widths": [5, 3], "pools": [4, 8], "head_filters": 8}


def test_a_drawn_list_ascends_one_number_from_each_part(study_of):
    space = search_space(
        study_of({"model.alphas": {"low": 0.001, "high": 1, "log": True, "length": 3}}, model=ATTENTION)
    )
    for index, dimension in enumerate(space.dimensions):
        assert dimension.name == f"model.alphas[{index}]"
        assert (dimension.low, dimension.high) == pytest.approx((10.0 ** (index - 3), 10.0 ** (index - 2)))
    alphas = space.values(drawn_at(space, 0.5))["model.alphas"]
    assert alphas == pytest.approx([10**-2.5, 10**-1.5, 10**-0.5])


def test_every_problem_of_a_space_at_once(study_of):
    plan = study_of(
        {
            "model.haeds": {"choose": [1]},
            "modle.heads": {"choose": [1]},
            "model": {"choose": [1]},
            "name": {"choose": ["a"]},
            "training.seed.x": {"choose": [1]},
            "training.judged_by": {"choose": ["pearson"]},
            "dataset.split.valid": {"choose": [["chrV"]]},
            "training.schedule": {"low": 0, "high": 1},
            "model.dropout": {"choose": [0.1, 1.5]},
            "training.batch_size": {"low": 0.6, "high": 2},
            "tune.trials": {"choose": [1]},
        }
    )
    with pytest.raises(ConfigError) as caught:
        search_space(plan)
    problems = "\n".join(caught.value.problems)
    for expected in (
        "space.model.haeds: no such setting; did you mean model.heads?",
        "space.modle.heads: no such setting; did you mean model?",
        "space.model: a group of settings; needed one of preset",
        "space.name: cannot be tuned; needed a setting of dataset, model, training or transfer",
        "space.training.seed.x: training.seed is no group of settings",
        "space.training.judged_by: decides what trials are judged by",
        "space.dataset.split.valid: decides what trials are judged by",
        "space.training.schedule: 0 is not for this setting",
        "space.training.schedule: 1 is not for this setting",
        "space.model.dropout: 1.5 is not for this setting (Input should be less than 1",
        "space.training.batch_size: low is 0.6; needed a whole number",
        "space.tune.trials: cannot be tuned",
    ):
        assert expected in problems
    assert len(caught.value.problems) == 12


def test_a_value_that_fits_with_no_draw_of_the_others(study_of):
    plan = study_of({"model.heads": {"choose": [2, 3]}, "model.dilated_layers": {"choose": [1, 2]}})
    with pytest.raises(ConfigError, match=r"model\.heads: 2 fits with no draw .* without meaning for preset basenji"):
        search_space(plan)
    # Each fits with some draw of the other: one of the two may be above 0.
    search_space(study_of({"training.l2": {"choose": [0, 1e-4]}, "training.decoupled_decay": {"choose": [0, 1e-2]}}))


def test_no_space_at_all(study_of):
    with pytest.raises(ConfigError, match=r"no search space; needed `space:`"):
        search_space(study_of({}))


def test_a_dataset_of_its_own_has_a_store_of_its_own(study_of, tmp_path):
    plan = study_of({})
    other, same = (candidate(plan, {"dataset.seed": seed}, stores=tmp_path) for seed in (1, 1))
    assert other.store_path.parent == tmp_path
    assert other.store_path == same.store_path != candidate(plan, {"dataset.seed": 2}, stores=tmp_path).store_path
    assert candidate(plan, {"model.dropout": 0.2}, stores=tmp_path).store_path == plan.store_path


SMALL = {"filters": [8, 8], "widths": [5, 3], "pools": [4, 8], "head_filters": 8}
EVERYWHERE = {"training.learning_rate", "training.l2", "model.dropout"}


@pytest.mark.parametrize(
    ("preset", "paths"),
    [
        ("attention_two_sided", {"model.layers", "model.heads", "model.alpha_scale"}),
        ("attention_variable", {"model.layers", "model.heads", "model.alpha_scale"}),
        ("attention_none", {"model.layers", "model.heads"}),
        ("exp_variable", {"model.heads", "model.alpha_scale"}),
        ("exp_constant", {"model.alphas"}),
        ("basenji", {"model.dilated_dropout"}),
        ("standard", set()),
    ],
)
def test_what_the_paper_tuned_as_far_as_the_model_has_it(study_of, preset, paths):
    plan = study_of({}, model={"preset": preset, **SMALL}, ready_space="paper")
    assert set(paper_space(plan)) == EVERYWHERE | paths
    space = search_space(plan)  # and all of it fits
    random = np.random.default_rng(0)
    for _ in range(20):
        drawn = {dimension.name: dimension.at(random.random()) for dimension in space.dimensions}
        assert candidate(plan, space.values(drawn), stores=plan.store_path).model_spec(3).preset == preset


def test_lines_of_ones_own_are_added_to_the_papers(study_of):
    plan = study_of({"model.dropout": {"choose": [0.0, 0.1]}, "model.width": {"low": 0.5, "high": 1}},
                    model={"preset": "standard", **SMALL}, ready_space="paper")  # fmt: skip
    domains = search_space(plan).domains
    assert domains["model.dropout"] == Domain(choose=(0.0, 0.1))
    assert set(domains) == EVERYWHERE | {"model.width"}


def test_a_space_in_a_file(study_of, tmp_path):
    file = tmp_path / "space.yaml"
    file.write_text("model.dropout: {low: 0, high: 0.5}\n")
    assert set(with_space(study_of({}), file).tune.space) == {"model.dropout"}
    assert with_space(study_of({}), "paper").tune.ready_space == "paper"
    file.write_text("model.dropout: {low: 1, high: 0.5}\nmodel.heads: {chose: [1]}\n")
    with pytest.raises(ConfigError) as caught:
        with_space(study_of({}), file)
    assert [problem.split(";")[0] for problem in caught.value.problems] == [
        "model.dropout: low 1 is not below high 0.5",
        "model.heads.chose: unknown key",
    ]


def test_shares_of_one_label_and_of_ends():
    assert Dimension("x", labels=("a",)).share("a") == 0
    assert math.isclose(Dimension("x", low=1, high=100, log=True).share(10), 0.5)
