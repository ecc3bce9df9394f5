"""Keras layers in float64 numpy, written from their formulas; sequences are (position, channel), as Keras has them.

A `NumpySession` stands for a session of Keras: each call makes the next layer, with random weights, under Keras's own
numbering. Played again with the same weights it computes on another input.
"""

import math
from collections import Counter

import numpy as np

ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "gelu_sigmoid": lambda x: x / (1 + np.exp(-1.702 * x)),
    "gelu_tanh": lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "gelu_erf": lambda x: 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "softplus": lambda x: np.logaddexp(0, x),
}


def conv1d(x, kernel, bias=None, dilation=1):
    """One output position after the other; zeros beyond both ends, the odd one on the right."""
    width, _, filters = kernel.shape
    left = dilation * (width - 1) // 2
    out = np.zeros((len(x), filters))
    for position in range(len(x)):
        for tap in range(width):
            source = position - left + tap * dilation
            if 0 <= source < len(x):
                out[position] += x[source] @ kernel[tap]
    return out if bias is None else out + bias


def separable_conv1d(x, depthwise, pointwise, bias=None, dilation=1):
    channels = [conv1d(x[:, [c]], depthwise[:, [c]], dilation=dilation) for c in range(x.shape[1])]
    out = np.concatenate(channels, axis=1) @ pointwise[0]
    return out if bias is None else out + bias


def batch_norm(x, gamma, beta, mean, variance, epsilon=1e-3):
    return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta


def layer_norm(x, gamma, beta, epsilon=1e-3):
    centred = x - x.mean(axis=1, keepdims=True)
    return gamma * centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + epsilon) + beta


def max_pool(x, size):
    """ceil(length / size) pools; what is missing for the last is missing on both sides, the odd one on the right."""
    pools = -(-len(x) // size)
    first = -((pools * size - len(x)) // 2)
    return np.array([x[max(0, first + i * size) : max(0, first + (i + 1) * size)].max(axis=0) for i in range(pools)])


def distance_features(offset, features, bins):
    """Within each width, then the same with the offset's sign; widths in float32, as published."""
    each = features // 2
    base = np.float32(math.exp(math.log(bins + 1) / each))
    widths = np.power(base, np.arange(1, each + 1, dtype=np.float32)) - np.float32(1)
    inside = (widths > abs(offset)).astype(float)
    return np.concatenate([inside, np.sign(offset) * inside])


def attention(x, weights, *, heads, key_size, position_features, content_position_bias=True, feature_bins=None):
    """Bin by bin and head by head; `weights` by the names that Keras gives them."""
    bins = len(x)
    query, key, value = (x @ weights[f"{name}_layer/kernel"] for name in "qkv")
    value_size = value.shape[1] // heads
    gathered = np.zeros_like(value)
    for head in range(heads):
        keys = slice(head * key_size, (head + 1) * key_size)
        values = slice(head * value_size, (head + 1) * value_size)
        content_bias, position_bias = weights["r_w_bias"][0, head, 0], weights["r_r_bias"][0, head, 0]
        for j in range(bins):
            q = query[j, keys] / math.sqrt(key_size)
            scores = np.zeros(bins)
            for t in range(bins):
                scores[t] = (q + content_bias) @ key[t, keys]
                if position_features:
                    features = distance_features(t - j, position_features, feature_bins or bins)
                    r = features @ weights["r_k_layer/kernel"][:, keys]
                    scores[t] += ((q + position_bias) if content_position_bias else position_bias) @ r
            share = np.exp(scores - scores.max())
            gathered[j, values] = share / share.sum() @ value[:, values]
    return gathered @ weights["embedding_layer/kernel"] + weights["embedding_layer/bias"]


class NumpySession:
    """Layers in the order of their making.

    Attributes:
        layers: (class, name, weights by name, configuration) of each.
    """

    def __init__(self, layers=None, seed=0):
        self.layers = []
        self._replayed = None if layers is None else iter(layers)
        self._random = np.random.default_rng(seed)
        self._made = Counter()

    def _layer(self, class_name, shapes, config=None, calls=None):
        if self._replayed is not None:
            found = next(self._replayed)
            assert found["class"] == class_name
            return found["weights"]
        snake = {"Conv1D": "conv1d", "SeparableConv1D": "separable_conv1d", "MaxPooling1D": "max_pooling1d"}
        snake |= {"BatchNormalization": "batch_normalization", "LayerNormalization": "layer_normalization"}
        snake |= {"MultiheadAttention": "multihead_attention", "UpSampling1D": "up_sampling1d", "ReLU": "re_lu"}
        base = (config or {}).get("function")
        base = f"tf.{base}" if base else snake.get(class_name, class_name.lower())
        number = self._made[base]
        self._made[base] += 1
        weights = {}
        for name, shape in shapes.items():
            scale = 1 / math.sqrt(math.prod(shape[:-1])) if name.endswith("kernel") else 0.5
            weights[name] = self._random.normal(0, scale, shape).astype(np.float32)
            if name in ("gamma", "scale"):
                weights[name] += 1
            if name == "moving_variance":
                weights[name] = np.abs(weights[name]) + np.float32(0.3)
        self.layers.append(
            {
                "class": class_name,
                "name": base if number == 0 else f"{base}_{number}",
                "weights": weights,
                "config": config or {},
                "calls": calls or {},
            }
        )
        return weights

    def input(self):
        self._layer("InputLayer", {})

    def conv1d(self, x, filters, width=1, *, dilation=1, bias=True):
        shapes = {"kernel": (width, x.shape[1], filters)} | ({"bias": (filters,)} if bias else {})
        config = {"kernel_size": [width], "dilation_rate": [dilation], "use_bias": bias}
        w = self._layer("Conv1D", shapes, config)
        return conv1d(x, w["kernel"], w.get("bias"), dilation)

    def separable_conv1d(self, x, filters, width):
        channels = x.shape[1]
        shapes = {"depthwise_kernel": (width, channels, 1), "pointwise_kernel": (1, channels, filters)}
        w = self._layer("SeparableConv1D", shapes | {"bias": (filters,)}, {"dilation_rate": [1]})
        return separable_conv1d(x, w["depthwise_kernel"], w["pointwise_kernel"], w["bias"])

    def dense(self, x, units, activation="linear", *, bias=True):
        shapes = {"kernel": (x.shape[1], units)} | ({"bias": (units,)} if bias else {})
        w = self._layer("Dense", shapes, {"activation": activation})
        out = x @ w["kernel"] + (w["bias"] if bias else 0)
        return out if activation == "linear" else ACTIVATIONS[activation](out)

    def batch_norm(self, x, epsilon=1e-3):
        shapes = dict.fromkeys(("gamma", "beta", "moving_mean", "moving_variance"), (x.shape[1],))
        w = self._layer("BatchNormalization", shapes, {"epsilon": epsilon, "momentum": 0.9})
        return batch_norm(x, w["gamma"], w["beta"], w["moving_mean"], w["moving_variance"], epsilon)

    def layer_norm(self, x):
        w = self._layer("LayerNormalization", dict.fromkeys(("gamma", "beta"), (x.shape[1],)), {"epsilon": 1e-3})
        return layer_norm(x, w["gamma"], w["beta"])

    def scale(self, x):
        return x * self._layer("Scale", {"scale": (x.shape[1],)})["scale"]

    def attention(self, x, *, heads, key_size, position_features, content_position_bias=True, feature_bins=None):
        channels, keys = x.shape[1], heads * key_size
        shapes = {f"{name}_layer/kernel": (channels, keys) for name in "qk"}
        shapes |= {"v_layer/kernel": (channels, channels), "embedding_layer/kernel": (channels, channels)}
        shapes |= {"embedding_layer/bias": (channels,), "r_w_bias": (1, heads, 1, key_size)}
        shapes["r_r_bias"] = (1, heads, 1, key_size)
        if position_features:
            shapes["r_k_layer/kernel"] = (position_features, keys)
        w = self._layer("MultiheadAttention", shapes, {"value_size": channels // heads, "key_size": key_size})
        return attention(
            x,
            w,
            heads=heads,
            key_size=key_size,
            position_features=position_features,
            content_position_bias=content_position_bias,
            feature_bins=feature_bins,
        )

    def activation(self, x, name):
        """`gelu_sigmoid` is a class of basenji's own, the other two are one function with an argument."""
        if name == "gelu_sigmoid":
            self._layer("GELU", {})
        elif name.startswith("gelu"):
            self._layer("TFOpLambda", {}, {"function": "nn.gelu"}, {"approximate": name == "gelu_tanh"})
        elif name == "relu":
            self._layer("ReLU", {})
        elif name == "softplus":
            self._layer("Softplus", {})
        else:
            self._layer("TFOpLambda", {}, {"function": f"math.{name}"})
        return ACTIVATIONS[name](x)

    def dropout(self, x):
        self._layer("Dropout", {}, {"rate": 0.1})
        return x

    def add(self, x, y):
        self._layer("Add", {})
        return x + y

    def concatenate(self, x, y):
        self._layer("Concatenate", {})
        return np.concatenate([x, y], axis=1)

    def max_pool(self, x, size):
        self._layer("MaxPooling1D", {}, {"pool_size": [size], "padding": "same"})
        return max_pool(x, size)

    def upsample(self, x, size):
        self._layer("UpSampling1D", {}, {"size": size})
        return np.repeat(x, size, axis=0)

    def crop(self, x, positions):
        self._layer("Cropping1D", {}, {"cropping": [positions, positions]})
        return x[positions : len(x) - positions]
