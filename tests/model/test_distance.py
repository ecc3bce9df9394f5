import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from regact.model.build import build_distance
from regact.model.context.distance import (
    ConstantDecay,
    LearnedDecay,
    NoDistance,
    TwoSidedDecay,
    over_bins,
    peak_alphas,
)
from regact.model.distance_start import distance_start

BINS = 13


def pairs(function) -> torch.Tensor:
    """f(j, t) for all pairs, one at a time."""
    return torch.tensor([[function(j, t) for t in range(BINS)] for j in range(BINS)], dtype=torch.float64)


def test_none_is_one_everywhere():
    assert torch.equal(over_bins(NoDistance(2), BINS, torch.zeros(1)), torch.ones(2, BINS, BINS))


@pytest.mark.parametrize("module", [ConstantDecay, LearnedDecay])
def test_decay_is_equation_6(module):
    alphas = [0.01, 0.3, 2.0]
    found = over_bins(module(alphas).double(), BINS, torch.zeros(1, dtype=torch.float64))
    for head, alpha in enumerate(torch.tensor(alphas).log().exp().tolist()):
        expected = pairs(lambda j, t, alpha=alpha: math.exp(-alpha * abs(j - t)))
        torch.testing.assert_close(found[head].detach(), expected, rtol=0, atol=1e-7)  # alphas came as float32


def test_two_sided_is_equation_7():
    right, left, half = [0.5, 0.125], [0.25, 0.75], 6.5
    module = TwoSidedDecay(right, left, half_window_bins=half).double()
    module.log_alphas_right.data = torch.tensor(right, dtype=torch.float64).log()
    module.log_alphas_left.data = torch.tensor(left, dtype=torch.float64).log()
    found = over_bins(module, BINS, torch.zeros(1, dtype=torch.float64))
    for head in range(2):
        expected = pairs(
            lambda j, t, h=head: min(math.exp(right[h] * (t - j - half)), math.exp(left[h] * (j - t - half)))
        )
        torch.testing.assert_close(found[head].detach(), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    "module", [LearnedDecay([0.01]), ConstantDecay([0.01]), TwoSidedDecay([0.01], [0.02], half_window_bins=300)]
)
def test_distances_stay_exact_for_half_precision_bins(module):
    exact, half = (over_bins(module, 600, torch.zeros(1, dtype=dtype)) for dtype in (torch.float32, torch.bfloat16))
    assert torch.equal(exact, half)


@given(position=st.floats(-0.95, 0.95), height=st.floats(0.05, 0.95), half=st.sampled_from([64.0, 256.0, 512.0]))
def test_peak_lies_where_and_as_high_as_asked(position: float, height: float, half: float):
    right, left = peak_alphas(position, height, half)
    module = TwoSidedDecay([right], [left], half_window_bins=half).double()
    offsets = torch.tensor([position * half, position * half - 1, position * half + 1], dtype=torch.float64)
    peak, before, after = module(offsets)[0].tolist()
    assert peak == pytest.approx(height, rel=1e-4)
    assert before < peak > after
    # The closed forms of docs/paper.md.
    assert half * (right - left) / (right + left) == pytest.approx(position * half, abs=1e-6)
    assert math.exp(-2 * half * right * left / (right + left)) == pytest.approx(height)


@given(right=st.floats(1e-3, 0.5), left=st.floats(1e-3, 0.5))
def test_two_sided_is_below_one_at_any_offset(right: float, left: float):
    values = TwoSidedDecay([right], [left], half_window_bins=64)(torch.arange(-200.0, 201.0))
    assert (values < 1).all()


def test_usual_alphas_would_make_a_dead_head():
    height = TwoSidedDecay([0.02], [0.02], half_window_bins=512)(torch.zeros(1)).item()
    assert height == pytest.approx(3.6e-5, rel=0.02)


@pytest.mark.parametrize("kind", ["variable", "two_sided"])
def test_gradients(kind: str):
    module = build_distance(distance_start(kind, 3, half_window_bins=8), 3).double()
    offsets = torch.arange(-7, 8, dtype=torch.float64)
    parameters = tuple(module.parameters())

    def values(*_):
        return module(offsets)

    assert torch.autograd.gradcheck(values, parameters)


@pytest.mark.parametrize("heads", [1, 2, 5, 16])
@pytest.mark.parametrize("kind", ["constant", "variable", "two_sided"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_heads_start_different(kind: str, heads: int, seed: int):
    module = build_distance(distance_start(kind, heads, half_window_bins=512, seed=seed), heads)
    values = module(torch.arange(-1023.0, 1024.0)).detach()
    assert values.shape == (heads, 2047)
    for i in range(heads):
        for k in range(i):
            assert (values[i] - values[k]).abs().max() > 1e-2


@given(heads=st.integers(1, 16), seed=st.integers(0, 1000))
def test_two_sided_start_covers_both_sides_with_living_heads(heads: int, seed: int):
    spec = distance_start("two_sided", heads, half_window_bins=512, seed=seed)
    assert all(0.1 <= h <= 0.6 for h in spec.heights)
    for k, peak in enumerate(spec.peaks):
        assert 2 * k / heads - 1 < peak < 2 * (k + 1) / heads - 1
    assert spec == distance_start("two_sided", heads, half_window_bins=512, seed=seed)


def test_five_decays_start_at_the_papers_constants():
    assert distance_start("variable", 5, half_window_bins=1).alphas == (0.01, 0.02, 0.05, 0.1, 0.2)
    sixteen = distance_start("variable", 16, half_window_bins=1).alphas
    assert sixteen[0] == 0.01
    assert sixteen[-1] == 0.2
    assert sorted(set(sixteen)) == list(sixteen)


@given(heads=st.integers(1, 8), scale=st.floats(0.1, 10.0))
def test_alpha_scale_multiplies_every_alpha(heads: int, scale: float):
    for kind in ("constant", "variable", "two_sided"):
        plain, scaled = (
            build_distance(distance_start(kind, heads, half_window_bins=64, alpha_scale=s), heads) for s in (1.0, scale)
        )
        names = ("log_alphas_right", "log_alphas_left") if kind == "two_sided" else ("alphas",)
        for name in names:
            before, after = getattr(plain, name), getattr(scaled, name)
            ratio = (after - before).exp() if name.startswith("log") else after / before
            torch.testing.assert_close(ratio, torch.full_like(ratio, scale), rtol=1e-4, atol=0.0)
