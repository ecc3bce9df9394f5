import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from regact.model.build import build_distance
from regact.model.context import Attention, DistancePooling, TwoSidedDecay
from regact.model.distance_start import distance_start

D, T, HEADS = 4, 9, 3
KINDS = ["none", "constant", "variable", "two_sided"]


def distance(kind: str, heads: int = HEADS) -> nn.Module:
    return build_distance(distance_start(kind, heads, half_window_bins=T / 2, seed=1), heads).double()


def attention(kind: str, **options) -> Attention:
    torch.manual_seed(0)
    layer = Attention(D, distance(kind), heads=HEADS, **options).double()
    nn.init.normal_(layer.query.weight)  # far from the small start: the softmax must matter
    nn.init.normal_(layer.query.bias)
    return layer


def f(kind: str, module: nn.Module, head: int, j: int, t: int) -> float:
    """Eq. 6 and 7 for one pair of bins."""
    if kind == "none":
        return 1.0
    if kind == "two_sided":
        right, left = module.log_alphas_right[head].exp().item(), module.log_alphas_left[head].exp().item()
        return min(math.exp(right * (t - j - T / 2)), math.exp(left * (j - t - T / 2)))
    return math.exp(-module.alphas[head].item() * abs(j - t))


def looped_attention(layer: Attention, kind: str, h: torch.Tensor, place: str, renormalise: bool) -> torch.Tensor:
    """Eq. 4 and 5 for one sequence h (T bins of D channels), one bin, one head and one number at a time."""
    weight, bias = layer.query.weight.detach().view(HEADS, D, D), layer.query.bias.detach().view(HEADS, D)
    out = [[*h[j].tolist()] for j in range(T)]
    for head in range(HEADS):
        for j in range(T):
            q = [
                math.tanh(sum(weight[head, a, b].item() * h[j, b].item() for b in range(D)) + bias[head, a].item())
                for a in range(D)
            ]
            score = [sum(q[a] * h[t, a].item() for a in range(D)) for t in range(T)]
            distances = [f(kind, layer.distance, head, j, t) for t in range(T)]
            if place == "before":
                score = [d * s for d, s in zip(distances, score, strict=True)]
            total = sum(math.exp(s) for s in score)
            weights = [math.exp(s) / total for s in score]
            if place == "after":
                weights = [d * w for d, w in zip(distances, weights, strict=True)]
            if renormalise:
                weights = [w / sum(weights) for w in weights]
            out[j] += [sum(weights[t] * h[t, a].item() for t in range(T)) for a in range(D)]
    return torch.tensor(out, dtype=torch.float64)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("place", "renormalise"), [("before", False), ("after", False), ("after", True)])
def test_attention_is_equations_4_and_5(kind: str, place: str, renormalise: bool):
    layer = attention(kind, distance_after_softmax=place == "after", renormalise=renormalise)
    bins = torch.randn(2, D, T, dtype=torch.float64)
    found = layer(bins).detach()
    assert found.shape == (2, D * (1 + HEADS), T)
    for b in range(2):
        expected = looped_attention(layer, kind, bins[b].T, place, renormalise)
        torch.testing.assert_close(found[b].T, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_pooling_is_equation_3(kind: str):
    layer = DistancePooling(distance(kind))
    bins = torch.randn(2, D, T, dtype=torch.float64)
    found = layer(bins).detach()
    assert torch.equal(found[:, :D], bins)
    for head in range(HEADS):
        for j in range(T):
            expected = sum(f(kind, layer.distance, head, j, t) * bins[:, :, t] for t in range(T))
            torch.testing.assert_close(found[:, D * (1 + head) : D * (2 + head), j], expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_attention(kind: str):
    layer = attention(kind)
    bins = torch.randn(1, D, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, *_: layer(x), (bins, *layer.parameters()))


@pytest.mark.parametrize("kind", ["variable", "two_sided"])
def test_gradients_of_pooling(kind: str):
    layer = DistancePooling(distance(kind))
    bins = torch.randn(1, D, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, *_: layer(x), (bins, *layer.parameters()))


@settings(deadline=None, max_examples=25)
@given(kind=st.sampled_from(KINDS), bins=st.integers(1, 20), seed=st.integers(0, 100))
def test_every_context_is_an_average_of_bins(kind: str, bins: int, seed: int):
    layer = attention(kind)
    x = torch.randn(2, D, bins, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    weights = layer.weights(x.transpose(1, 2))
    assert weights.shape == (2, bins, HEADS, bins)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, bins, HEADS, dtype=torch.float64))
    context = layer(x)[:, D:].unflatten(1, (HEADS, D))
    assert (context <= x.amax(-1)[:, None, :, None] + 1e-12).all()
    assert (context >= x.amin(-1)[:, None, :, None] - 1e-12).all()


def test_bins_of_a_convolution_block_are_not_copied():
    rows = torch.randn(2, T, D)
    assert attention("none").float()(rows.transpose(1, 2)).transpose(1, 2).is_contiguous()


@pytest.mark.parametrize("channels", [32, 128, 717])
def test_scores_start_alike_at_any_width(channels: int):
    # Bins as batch norm and ReLU leave them: half a normal distribution.
    bins = torch.relu(torch.randn(2, channels, 64, generator=torch.Generator().manual_seed(0)))
    torch.manual_seed(0)
    layer = Attention(channels, distance("none").float(), heads=HEADS)
    rows = bins.transpose(1, 2)
    scores = torch.tanh(layer.query(rows)).view(2, 64 * HEADS, channels) @ bins
    assert 6.5 < scores.mean().item() < 9
    queries = torch.tanh(layer.query(rows))
    assert queries.abs().max().item() < 0.8  # none saturated


def test_heads_start_by_looking_where_their_distance_function_peaks():
    bins = torch.relu(torch.randn(1, 200, 128, generator=torch.Generator().manual_seed(0)))
    torch.manual_seed(0)
    start = distance_start("two_sided", 5, half_window_bins=64)
    weights = Attention(200, build_distance(start, 5), heads=5).weights(bins.transpose(1, 2))[0]
    offsets = torch.arange(128) - 64.0
    for head, peak in enumerate(start.peaks):
        mean_offset = (weights[64, head] * offsets).sum() / 64
        assert mean_offset * peak > 0 or abs(peak) < 0.2


def test_a_head_that_looks_only_where_its_distance_function_is_zero_stays_finite():
    # The two-sided peak lies 300 bins to the right, and the softmax is one-hot 600 bins from there: f is exp(-600) = 0.
    layer = Attention(1, distance("none", 1).float(), heads=1, distance_after_softmax=True, renormalise=True)
    layer.distance = TwoSidedDecay([2.0], [2.0 / 3], half_window_bins=300)
    nn.init.zeros_(layer.query.weight)
    nn.init.constant_(layer.query.bias, 5.0)
    bins = torch.zeros(1, 1, 600, requires_grad=True)
    with torch.no_grad():
        bins[0, 0, 0] = 1000.0
    out = layer(bins)
    out.sum().backward()
    assert out.isfinite().all()
    assert bins.grad.isfinite().all()


def test_wrong_number_of_channels_is_refused():
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        attention("none")(torch.zeros(1, D + 1, T, dtype=torch.float64))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("autocast", [True, False])
def test_bfloat16_rounds_values_but_not_distances(kind: str, autocast: bool):
    bins = torch.relu(torch.randn(1, 16, 600, generator=torch.Generator().manual_seed(0)))
    start = distance_start(kind, 2, half_window_bins=300)
    torch.manual_seed(0)
    for layer in (Attention(16, build_distance(start, 2), heads=2), DistancePooling(build_distance(start, 2))):
        expected = layer(bins)
        if autocast:
            with torch.autocast("cpu", torch.bfloat16):
                found = layer(bins.bfloat16())
        else:
            found = layer.bfloat16()(bins.bfloat16())
        assert found.dtype == torch.bfloat16
        torch.testing.assert_close(found.float(), expected, rtol=0.06, atol=0.06)
