"""Attention with relative positions against its formula, pair by pair, in float64 numpy."""

import numpy as np
import pytest
import torch

from regact.model.stack.relative_attention import RelativeAttention, distance_features

NAMES = {
    "query": "q_layer",
    "key": "k_layer",
    "value": "v_layer",
    "join": "embedding_layer",
    "position_key": "r_k_layer",
}


def numpy_weights(layer):
    """Our tensors under Keras's names, turned as Keras has them, in float64."""
    state = {name: tensor.double().numpy() for name, tensor in layer.state_dict().items()}
    ours_to_theirs = {f"{ours}.weight": f"{theirs}/kernel" for ours, theirs in NAMES.items()}
    weights = {theirs: state[ours][:, :, 0].T for ours, theirs in ours_to_theirs.items() if ours in state}
    weights["embedding_layer/bias"] = state["join.bias"]
    weights["r_w_bias"] = state["content_bias"][None]
    weights["r_r_bias"] = state.get("position_bias", state["content_bias"])[None]
    return weights


def make(channels=6, **sizes):
    torch.manual_seed(0)
    layer = RelativeAttention(channels, **sizes).eval()
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.6)
    return layer


@pytest.mark.parametrize("bins", [1, 2, 9, 24])
@pytest.mark.parametrize(
    "sizes",
    [
        {"heads": 2, "key_size": 3, "value_size": 3, "position_features": 8},
        {"heads": 3, "key_size": 5, "value_size": 2, "position_features": 4, "content_position_bias": False},
        {"heads": 1, "key_size": 4, "value_size": 6, "position_features": 0},
        {"heads": 2, "key_size": 3, "value_size": 3, "position_features": 6, "feature_bins": 40},
    ],
)
def test_is_the_formula(bins, sizes, keras_numpy):
    layer = make(**sizes)
    x = np.random.default_rng(bins).normal(0, 1, (bins, 6))
    wanted = {name: value for name, value in sizes.items() if name != "value_size"}
    expected = keras_numpy.attention(x, numpy_weights(layer), **wanted)
    with torch.no_grad():
        found = layer(torch.tensor(x.T[None], dtype=torch.float32))[0].numpy().T
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize(("features", "bins"), [(8, 32), (32, 100), (2, 7), (6, 4096)])
def test_features_of_an_offset(features, bins, keras_numpy):
    offsets = np.unique(np.round(np.linspace(1 - bins, bins - 1, 301)))
    found = distance_features(torch.tensor(offsets, dtype=torch.float32), features, bins=bins).numpy()
    expected = [keras_numpy.distance_features(offset, features, bins) for offset in offsets]
    np.testing.assert_array_equal(found, expected)


def test_features_have_a_half_without_sign_and_the_last_width_spans_the_window():
    found = distance_features(torch.arange(-31.0, 32.0), 8, bins=32)
    torch.testing.assert_close(found[:, :4], found[:, :4].flip(0))
    torch.testing.assert_close(found[:, 4:], -found[:, 4:].flip(0))
    assert found[:, 3].all()
    # Widths of (n + 1)^(i / F) - 1: 1.4, 4.7, 12.8, 32 bins.
    assert found[:, :4].sum(0).tolist() == [3, 9, 25, 63]


def test_shifting_the_bins_shifts_the_answer_but_for_its_ends():
    layer = make(heads=2, key_size=3, value_size=3, position_features=4, feature_bins=20)
    with torch.no_grad():  # attention so local that ends are not felt
        layer.query.weight.zero_()
        layer.position_bias.fill_(1)
        layer.position_key.weight.copy_(torch.tensor([40.0, 0, 0, 0]).expand(6, 4)[:, :, None])
        x = torch.randn(1, 6, 40)
        found, moved = layer(x), layer(x.roll(3, dims=2))
    torch.testing.assert_close(found[..., 10:30], moved[..., 13:33], rtol=1e-4, atol=1e-5)


def test_gradients_are_those_of_the_formula():
    layer = make(heads=2, key_size=2, value_size=2, position_features=4, channels=4).double()
    x = torch.randn(1, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, (x,))
    layer(x).sum().backward()
    assert layer.position_key.weight.grad.abs().sum() > 0


def test_dropout_of_weights_and_positions_is_of_training_alone():
    layer = make(heads=2, key_size=3, value_size=3, position_features=8, dropout=0.5, position_dropout=0.5)
    x = torch.randn(1, 6, 12)
    torch.testing.assert_close(layer(x), layer(x))
    layer.train()
    assert not torch.allclose(layer(x), layer(x))
