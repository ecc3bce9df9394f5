import pytest
import torch

from regact.model.dropout import Dropout


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.5])
def test_share_of_zeros_and_mean(rate: float):
    torch.manual_seed(0)
    y = Dropout(rate)(torch.ones(1000, 1001))
    zeros = (y == 0).double().mean().item()
    assert abs(zeros - rate) < 4 * (rate * (1 - rate) / y.numel()) ** 0.5  # four standard errors
    assert abs(y.mean().item() - 1) < 0.003
    assert y.unique().tolist() == pytest.approx([0, 1 / (1 - rate)], rel=1e-4)


def test_inference_and_rate_zero_change_nothing():
    x = torch.randn(3, 4)
    assert Dropout(0.5).eval()(x) is x
    assert Dropout(0.0)(x) is x


def test_gradient_passes_where_the_value_passed():
    x = torch.randn(50, 60, requires_grad=True)
    y = Dropout(0.3)(x)
    y.sum().backward()
    assert torch.equal(x.grad == 0, y == 0)
    torch.testing.assert_close(y.detach(), x.detach() * x.grad)


@pytest.mark.parametrize("order", ["contiguous", "transposed", "strided", "expanded"])
def test_any_memory_order_draws_each_value_for_itself(order: str):
    torch.manual_seed(3)
    x = torch.ones(20, 30, 40)
    orders = {"transposed": x.transpose(0, 2), "strided": x[:, ::2], "expanded": x[:1].expand(20, 30, 40)}
    x = orders.get(order, x)
    y = Dropout(0.5)(x)
    assert y.shape == x.shape
    assert y.unique().tolist() == [0.0, 2.0]
    for axis in range(3):  # no two slices alike
        assert len(torch.unique(y.transpose(0, axis).flatten(1), dim=0)) == y.shape[axis]


def test_same_state_of_the_generator_gives_the_same_values():
    x, drop = torch.randn(40, 50), Dropout(0.2)
    torch.manual_seed(5)
    first = drop(x)
    second = drop(x)
    torch.manual_seed(5)
    assert torch.equal(drop(x), first)
    assert not torch.equal(first, second)
