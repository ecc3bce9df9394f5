"""Each layer against its formula in float64 numpy: several lengths, even widths, dilation, pooling of odd lengths."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from regact.model.conv_block import SameConv1d
from regact.model.stack.activation import Activation
from regact.model.stack.layers import BatchNorm, Concatenate, LayerNorm, MaxPool, Residual, Scale
from regact.model.stack.separable_conv import SeparableConv1d

LENGTHS = [1, 7, 16, 33]
random = np.random.default_rng(0)


def draw(*shape):
    return random.normal(0, 1, shape)


def apply(layer, x):
    """`layer` of a (position, channel) array, in inference mode."""
    with torch.no_grad():
        return layer.eval()(torch.tensor(x.T[None], dtype=torch.float32))[0].numpy().T


def put(parameter, values):
    with torch.no_grad():
        parameter.copy_(torch.tensor(values))


def same(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize(("width", "dilation"), [(1, 1), (3, 1), (6, 1), (15, 1), (22, 1), (3, 4), (4, 3)])
def test_convolution(length, width, dilation, keras_numpy):
    x, kernel, bias = draw(length, 5), draw(width, 5, 4), draw(4)
    layer = SameConv1d(5, 4, width, dilation=dilation, bias=True)
    put(layer.weight, kernel.transpose(2, 1, 0))
    put(layer.bias, bias)
    same(apply(layer, x), keras_numpy.conv1d(x, kernel, bias, dilation))


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize(("width", "dilation"), [(1, 1), (3, 1), (4, 1), (3, 2), (2, 3)])
def test_separable_convolution(length, width, dilation, keras_numpy):
    x, depthwise, pointwise, bias = draw(length, 5), draw(width, 5, 1), draw(1, 5, 4), draw(4)
    layer = SeparableConv1d(5, 4, width, dilation=dilation)
    put(layer.depthwise.weight, depthwise.transpose(1, 2, 0))
    put(layer.pointwise.weight, pointwise.transpose(2, 1, 0))
    put(layer.pointwise.bias, bias)
    same(apply(layer, x), keras_numpy.separable_conv1d(x, depthwise, pointwise, bias, dilation))


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("epsilon", [1e-3, 1e-5])
def test_batch_norm_of_inference(length, epsilon, keras_numpy):
    x, gamma, beta, mean, variance = draw(length, 5), draw(5), draw(5), draw(5), draw(5) ** 2
    layer = BatchNorm(5, epsilon=epsilon)
    for place, values in zip(
        (layer.norm.weight, layer.norm.bias, layer.norm.running_mean, layer.norm.running_var),
        (gamma, beta, mean, variance),
        strict=True,
    ):
        put(place, values)
    same(apply(layer, x), keras_numpy.batch_norm(x, gamma, beta, mean, variance, epsilon))


def test_batch_norm_of_training_moves_by_its_momentum():
    layer = BatchNorm(3, momentum=0.25).train()
    x = torch.randn(2, 3, 50) + 4
    layer(x)
    torch.testing.assert_close(layer.norm.running_mean, 0.25 * x.mean((0, 2)))


@pytest.mark.parametrize("length", LENGTHS)
def test_layer_norm(length, keras_numpy):
    x, gamma, beta = 3 * draw(length, 5) + 1, draw(5), draw(5)
    layer = LayerNorm(5)
    put(layer.norm.weight, gamma)
    put(layer.norm.bias, beta)
    same(apply(layer, x), keras_numpy.layer_norm(x, gamma, beta))


@pytest.mark.parametrize("name", ["relu", "gelu_sigmoid", "gelu_tanh", "gelu_erf", "sigmoid", "tanh", "softplus"])
def test_activations(name, keras_numpy):
    x = np.concatenate([np.linspace(-30, 30, 241), draw(400)])[:, None]
    found, expected = apply(Activation(name), x), keras_numpy.ACTIVATIONS[name](x)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


def test_the_forms_of_gelu_are_told_apart(keras_numpy):
    x = np.linspace(-5, 5, 10_001)
    forms = {name: keras_numpy.ACTIVATIONS[name](x) for name in ("gelu_sigmoid", "gelu_tanh", "gelu_erf")}
    assert np.abs(forms["gelu_sigmoid"] - forms["gelu_erf"]).max() == pytest.approx(0.0203, abs=1e-4)
    assert np.abs(forms["gelu_tanh"] - forms["gelu_erf"]).max() == pytest.approx(0.0005, abs=1e-4)


@given(st.integers(1, 60), st.integers(1, 9))
def test_max_pool_of_any_length(keras_numpy, length, size):
    x = np.random.default_rng(length).normal(-3, 1, (length, 2))  # negative: padding must not win
    found = apply(MaxPool(size), x)
    assert found.shape[0] == -(-length // size)
    np.testing.assert_array_equal(found, keras_numpy.max_pool(x, size).astype(np.float32))


def test_scale_begins_with_nothing_and_multiplies_channels():
    layer, x = Scale(3), draw(6, 3)
    assert not apply(layer, x).any()
    put(layer.weight, [1.0, -2.0, 0.5])
    same(apply(layer, x), x * [1, -2, 0.5])


def test_branches():
    x = torch.randn(2, 3, 5)
    double = nn.Module()
    double.forward = lambda x: 2 * x
    torch.testing.assert_close(Residual(double)(x), 3 * x)
    torch.testing.assert_close(Concatenate(double)(x), torch.cat([x, 2 * x], dim=1))
