import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from regact.errors import ShapeError
from regact.losses import poisson_nll, poisson_nll_of_rate


def example(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    z = torch.randn(2, 3, 5, generator=random)
    counts = torch.poisson(torch.full((2, 3, 5), 3.0), generator=random)
    return z, counts, torch.rand(2, 5, generator=random) < 0.6


def test_is_the_mean_of_equation_1():
    z, counts, mask = example()
    expected = total = 0.0
    for b in range(2):
        for i in range(5):
            for j in range(3):
                if mask[b, i]:
                    expected += -(counts[b, j, i] * z[b, j, i] - z[b, j, i].exp()).item()
                    total += 1
    assert poisson_nll(z, counts, mask).item() == pytest.approx(expected / total, rel=1e-6)


def test_agrees_with_torch():
    z, counts, _ = example()
    torch.testing.assert_close(poisson_nll(z, counts), functional.poisson_nll_loss(z, counts, full=False))


def test_rate_form_is_the_same_loss():
    z, counts, mask = example()
    torch.testing.assert_close(poisson_nll_of_rate(z.exp(), counts, mask), poisson_nll(z, counts, mask))


@settings(deadline=None)
@given(seed=st.integers(0, 100))
def test_least_where_rate_is_the_count(seed: int):
    z, counts, mask = example(seed)
    best = (counts + 0.5).log().requires_grad_()
    loss = poisson_nll(best, counts + 0.5, mask)
    assert loss <= poisson_nll(z, counts + 0.5, mask)
    loss.backward()
    torch.testing.assert_close(best.grad, torch.zeros_like(best), atol=1e-6, rtol=0)


def test_masked_bins_do_not_matter_whatever_they_hold():
    z, counts, mask = example()
    expected = poisson_nll(z, counts, mask)
    hidden = ~mask[:, None].expand_as(counts)
    z2 = z.masked_fill(hidden, 200.0).requires_grad_()  # exp(200) is inf
    loss = poisson_nll(z2, counts.masked_fill(hidden, float("nan")), mask)
    torch.testing.assert_close(loss, expected)
    loss.backward()
    assert z2.grad.isfinite().all()
    assert (z2.grad[hidden] == 0).all()


def test_batch_without_a_bin_costs_nothing():
    z, counts, mask = example()
    z.requires_grad_()
    loss = poisson_nll(z, counts, torch.zeros_like(mask))
    assert loss.item() == 0
    loss.backward()
    assert torch.equal(z.grad, torch.zeros_like(z))


def test_half_precision_is_summed_in_float32():
    z, counts, mask = example()
    loss = poisson_nll(z.bfloat16(), counts.half(), mask)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, poisson_nll(z.bfloat16().float(), counts, mask))


@pytest.mark.parametrize("loss", [poisson_nll, poisson_nll_of_rate])
@pytest.mark.parametrize(
    ("prediction", "counts", "mask"),
    [
        ((2, 3, 5), (2, 5, 3), None),
        ((2, 3, 5), (2, 1, 5), None),
        ((2, 3), (2, 3), None),
        ((2, 3, 5), (2, 3, 5), (2, 1)),
    ],
)
def test_shapes_that_would_broadcast_are_refused(loss, prediction, counts, mask):
    with pytest.raises(ShapeError, match="needed"):
        loss(torch.ones(prediction), torch.ones(counts), None if mask is None else torch.ones(mask, dtype=torch.bool))
