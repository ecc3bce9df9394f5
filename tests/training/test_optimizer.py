"""The learning rate in closed form; decay and penalty on kernels and nothing else."""

import math

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from regact.model import build_model, preset_spec
from regact.training import TrainingConfig
from regact.training.objective import first_broken_track, kernel_penalty, kernels, poisson_sums
from regact.training.optimizer import build_optimizer, learning_rate_at


@pytest.fixture
def model():
    return build_model(preset_spec("attention_two_sided", tracks=2, window_bp=1024, width=0.02), seed=0)


def test_warm_up_and_cosine_in_closed_form():
    config = TrainingConfig(learning_rate=0.4, schedule="warmup_cosine", warmup_steps=4)
    rates = [learning_rate_at(step, config, 104) for step in range(105)]
    assert rates[:5] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4])
    assert rates[54] == pytest.approx(0.2)  # half way
    assert rates[104] == pytest.approx(0.0, abs=1e-12)
    assert learning_rate_at(10_000, config, 104) == pytest.approx(0.0, abs=1e-12)


@example(step=202, total=1, warmup=203)  # 0.01 * 203 / 203 is above 0.01
@given(step=st.integers(0, 10_000), total=st.integers(1, 10_000), warmup=st.integers(0, 500))
def test_the_learning_rate_stays_within_its_bounds(step, total, warmup):
    for schedule in ("constant", "warmup_cosine"):
        config = TrainingConfig(learning_rate=0.01, schedule=schedule, warmup_steps=warmup)
        assert 0 <= learning_rate_at(step, config, total) <= 0.01


def test_kernels_are_convolutions_and_affine_maps_only(model):
    found = {id(kernel) for kernel in kernels(model)}
    names = {name for name, parameter in model.named_parameters() if id(parameter) in found}
    others = {name for name, _ in model.named_parameters()} - names
    assert "head.affine.weight" in names
    assert any("query.weight" in name for name in names)
    assert all(".norm." in name or "bias" in name or "alphas" in name for name in others)
    assert any("alphas" in name for name in others)


def test_decoupled_decay_shrinks_kernels_and_spares_the_rest(model):
    optimizer = build_optimizer(model, TrainingConfig(learning_rate=0.1, decoupled_decay=0.5))
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    found = {id(kernel) for kernel in kernels(model)}
    for name, parameter in model.named_parameters():
        factor = 1 - 0.1 * 0.5 if id(parameter) in found else 1
        torch.testing.assert_close(parameter.detach(), before[name] * factor)


def test_without_decay_a_step_is_plain_adam(model):
    twin = build_model(model.spec, seed=0)
    ours = build_optimizer(model, TrainingConfig(learning_rate=0.01))
    adam = torch.optim.Adam(twin.parameters(), lr=0.01)
    for step in range(3):
        for one, other in zip(model.parameters(), twin.parameters(), strict=True):
            one.grad = torch.randn(one.shape, generator=torch.Generator().manual_seed(step))
            other.grad = one.grad.clone()
        ours.step()
        adam.step()
    for one, other in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_the_penalty_is_the_sum_of_squares(model):
    expected = 0.3 * sum(float((kernel.detach() ** 2).sum()) for kernel in kernels(model))
    assert kernel_penalty(model, 0.3).item() == pytest.approx(expected, rel=1e-5)


def test_the_loss_goes_through_the_models_link():
    class Example:
        targets = torch.tensor([[[0.0, 2.0]]])
        mask = torch.tensor([[True, True]])

    z = torch.tensor([[[0.5, 1.0]]])
    spec = preset_spec("standard", tracks=1, window_bp=1024, width=0.02)
    expected = {
        "exp": (math.exp(0.5) + math.exp(1) - 2 * 1) / 2,
        "softplus": (math.log1p(math.exp(0.5)) + math.log1p(math.e) - 2 * math.log(math.log1p(math.e))) / 2,
    }
    for link, value in expected.items():
        model = build_model(spec.model_copy(update={"head": spec.head.model_copy(update={"link": link})}), seed=0)
        assert poisson_sums(model, z, Example).sum().item() / 2 == pytest.approx(value, rel=1e-6)


def test_the_first_broken_track_is_found_under_the_mask(model):
    class Example:
        targets = torch.zeros(2, 3, 4)
        mask = torch.ones(2, 4, dtype=torch.bool)

    def broken(model):
        return first_broken_track(poisson_sums(model, z, Example).detach().numpy())

    z = torch.zeros(2, 3, 4)
    assert broken(model) is None
    z[1, 2, 3] = 200.0  # exp of it is inf
    assert broken(model) == 2
    linear = build_model(model.spec.model_copy(update={"head": model.spec.head.model_copy(update={"link": "elu1"})}))
    z[0, 1, 0] = math.nan
    assert broken(linear) == 1  # under this link 200 is a rate as good as any
    Example.mask[0, 0] = Example.mask[1, 3] = False
    assert broken(model) is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"betas": [0.9, 1.0]}, "betas"),
        ({"l2": 1.0, "decoupled_decay": 1.0}, "one of them at most"),
        ({"learning_rate": 0}, "greater than 0"),
        ({"lerning_rate": 1}, "lerning_rate"),
        ({"epochs": 0}, "greater than or equal to 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        TrainingConfig(**settings)


def test_the_horizon_of_the_schedule():
    assert TrainingConfig(epochs=3).total_steps(10) == 30
    assert TrainingConfig(epochs=3, max_steps=12).total_steps(10) == 12


def test_distance_functions_and_queries_learn_at_rates_of_their_own(model):
    config = TrainingConfig(distance_rate=10, query_rate=0.1, decoupled_decay=0.5)
    groups = build_optimizer(model, config, taken=[model.tower], rate_factor=0.5).param_groups
    factors = {id(p): group["rate_factor"] for group in groups for p in group["params"]}
    decays = {id(p): group["weight_decay"] for group in groups for p in group["params"]}
    assert len(factors) == len(list(model.parameters()))
    for name, parameter in model.named_parameters():
        expected = 10 if "alphas" in name else 0.1 if "query.weight" in name else 0.5 if "tower" in name else 1
        assert factors[id(parameter)] == expected, name
        assert decays[id(parameter)] == (0.5 if any(parameter is kernel for kernel in kernels(model)) else 0)


def test_what_is_taken_keeps_its_share_of_a_rate_of_its_own(model):
    groups = build_optimizer(
        model, TrainingConfig(distance_rate=10), taken=[model.context], rate_factor=0.5
    ).param_groups
    factors = {id(p): group["rate_factor"] for group in groups for p in group["params"]}
    assert {factors[id(p)] for name, p in model.named_parameters() if "alphas" in name} == {5}
