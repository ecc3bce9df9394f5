import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from regact.model.conv_block import ConvBlock, SameConv1d, same_max_pool


def looped_convolution(x: torch.Tensor, weight: torch.Tensor, dilation: int) -> torch.Tensor:
    """Eq. 2 of the paper written out: sum over taps and channels, zeros outside, the extra tap on the right."""
    batch, _, length = x.shape
    filters, _, width = weight.shape
    left = dilation * (width - 1) // 2
    out = torch.zeros(batch, filters, length, dtype=x.dtype)
    for j in range(length):
        for tap in range(width):
            t = j - left + tap * dilation
            if 0 <= t < length:
                out[:, :, j] += x[:, :, t] @ weight[:, :, tap].T
    return out


@settings(deadline=None, max_examples=30)
@given(width=st.integers(1, 9), dilation=st.integers(1, 4), length=st.integers(1, 30), seed=st.integers(0, 5))
def test_convolution_is_the_loop(width: int, dilation: int, length: int, seed: int):
    torch.manual_seed(seed)
    conv = SameConv1d(3, 5, width, dilation=dilation).double()
    x = torch.randn(2, 3, length, dtype=torch.float64)
    expected = looped_convolution(x, conv.weight.detach(), dilation)
    torch.testing.assert_close(conv(x).detach(), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("width", "left", "right"), [(22, 10, 11), (6, 2, 3), (3, 1, 1), (1, 0, 0)])
def test_even_width_sees_one_more_base_on_the_right(width: int, left: int, right: int):
    conv = SameConv1d(1, 1, width)
    nn.init.ones_(conv.weight)
    x = torch.zeros(1, 1, 61, requires_grad=True)
    conv(x)[0, 0, 30].backward()
    seen = x.grad[0, 0].nonzero()[:, 0]
    assert (seen.min(), seen.max()) == (30 - left, 30 + right)


@pytest.mark.parametrize("pool", [1, 2, 4])
@pytest.mark.parametrize("training", [True, False])
def test_block_is_conv_norm_relu_pool_in_the_order_of_the_paper(pool: int, training: bool):
    torch.manual_seed(0)
    block = ConvBlock(7, 9, 5, pool=pool, dilation=2).double().train(training)
    nn.init.normal_(block.norm.weight)  # negative scales too: there, pooling before batch norm would be wrong
    nn.init.normal_(block.norm.bias)
    reference = nn.Sequential(
        nn.Conv1d(7, 9, 5, padding=4, dilation=2, bias=False),
        nn.BatchNorm1d(9, eps=1e-3, momentum=0.1),
        nn.ReLU(),
        nn.MaxPool1d(pool),
    ).double()
    reference.train(training)
    reference[0].weight.data.copy_(block.conv.weight.data)
    reference[1].load_state_dict(block.norm.state_dict())
    x = torch.randn(3, 7, 16, dtype=torch.float64, requires_grad=True)
    mine, theirs = block(x), reference(x)
    torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-12)
    gradients = [torch.autograd.grad(y.pow(2).sum(), x)[0] for y in (mine, theirs)]
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-10)
    torch.testing.assert_close(block.norm.running_var, reference[1].running_var)


@pytest.mark.parametrize("training", [True, False])
def test_relu_first_is_relu_conv_norm_pool_and_leaves_its_input_alone(training: bool):
    torch.manual_seed(0)
    block = ConvBlock(7, 9, 6, pool=4, relu_first=True, epsilon=0.01).double().train(training)
    nn.init.normal_(block.norm.bias)
    reference = nn.Sequential(
        nn.ReLU(),
        nn.ConstantPad1d((2, 3), 0.0),
        nn.Conv1d(7, 9, 6, bias=False),
        nn.BatchNorm1d(9, eps=0.01),
        nn.MaxPool1d(4),
    ).double()
    reference.train(training)
    reference[2].weight.data.copy_(block.conv.weight.data)
    reference[3].load_state_dict(block.norm.state_dict())
    x = torch.randn(3, 7, 16, dtype=torch.float64)
    kept = x.clone()
    torch.testing.assert_close(block(x), reference(x), rtol=0, atol=1e-12)
    assert torch.equal(x, kept)
    assert (block(x) < 0).any()


@given(pool=st.integers(1, 6), length=st.integers(1, 30))
def test_pooling_of_any_length_is_cut_as_tensorflow_cuts_it(pool: int, length: int):
    x = torch.randn(2, 3, 1, length, generator=torch.Generator().manual_seed(length))
    out = -(-length // pool)
    left = (out * pool - length) // 2  # of the padding, the odd one goes to the right
    expected = [x[..., max(0, i * pool - left) : (i + 1) * pool - left].amax(-1) for i in range(out)]
    assert torch.equal(same_max_pool(x, pool), torch.stack(expected, dim=-1))


@pytest.mark.parametrize("width", [5, 6])
@pytest.mark.parametrize("dilation", [1, 2])
def test_wide_and_long_convolutions_are_the_same_numbers(width: int, dilation: int):
    """Turned channel by channel on a CPU: output and gradients against float64."""
    torch.manual_seed(0)
    conv = SameConv1d(64, 66, width, dilation=dilation)
    x = torch.randn(1, 64, 31_251, requires_grad=True)
    assert conv._is_faster_turned(x)
    assert not conv._is_faster_turned(x[..., :31_249])
    y = conv(x)
    upstream = torch.randn_like(y)
    y.backward(upstream)
    exact_x, exact_weight = (t.detach().double().requires_grad_() for t in (x, conv.weight))
    span = dilation * (width - 1)
    padded = nn.functional.pad(exact_x, (span // 2, span - span // 2))
    exact = nn.functional.conv1d(padded, exact_weight, dilation=dilation)
    exact.backward(upstream.double())
    for ours, reference in ((y, exact), (x.grad, exact_x.grad), (conv.weight.grad, exact_weight.grad)):
        error = (ours.double() - reference).norm() / reference.norm()
        assert error < 1e-5  # the weights' gradient is a sum over 31,250 positions


def test_output_stays_in_the_order_in_which_blocks_compute():
    y = ConvBlock(4, 8, 6, pool=2)(torch.randn(2, 4, 32))
    assert y.transpose(1, 2).is_contiguous()


def test_wrong_number_of_channels_is_refused():
    with pytest.raises(RuntimeError, match="channels"):
        ConvBlock(4, 8, 3)(torch.zeros(1, 5, 16))
