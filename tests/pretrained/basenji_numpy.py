"""Basenji of 2018 in float64 numpy, each layer from its formula: what an imported network must answer.

Arrays are (position, channel), kernels (width, channels, filters), as TensorFlow has them. Nothing of regact is used.
"""

import numpy as np

NORM = ("gamma", "beta", "moving_mean", "moving_variance")


def one_hot(codes, n_value=0.25):
    """A C G T as unit vectors, anything else as `n_value` everywhere."""
    table = np.vstack([np.eye(4), np.full((1, 4), n_value)])
    return table[np.minimum(codes, 4)]


def conv(x, kernel, dilation=1):
    """TensorFlow's "same": of the width - 1 (times dilation) missing positions the smaller half lies on the left."""
    width = kernel.shape[0]
    missing = dilation * (width - 1)
    padded = np.pad(x, ((missing // 2, missing - missing // 2), (0, 0)))
    y = np.zeros((len(x), kernel.shape[2]))
    for tap in range(width):
        y += padded[tap * dilation : tap * dilation + len(x)] @ kernel[tap].astype(np.float64)
    return y


def batch_norm(x, gamma, beta, mean, variance, epsilon=1e-3):
    gamma, beta, mean, variance = (np.asarray(a, dtype=np.float64) for a in (gamma, beta, mean, variance))
    return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta


def relu(x):
    return np.maximum(x, 0)


def max_pool(x, pool):
    """TensorFlow's "same": the last cells are shared out to both ends, the smaller half to the left."""
    cells = -(-len(x) // pool)
    missing = cells * pool - len(x)
    padded = np.pad(x, ((missing // 2, missing - missing // 2), (0, 0)), constant_values=-np.inf)
    return padded.reshape(cells, pool, -1).max(axis=1)


def exp_linear(z):
    """x + 1 above 0, exp(x) below, x between -50 and 50: the published link."""
    return np.where(z > 0, z + 1, np.exp(np.clip(z, -50, 50)))


def forward(
    tensors, codes, *, pools, dilations, dense, crop, relu_first=False, epsilon=1e-3, n_value=0.25, link=exp_linear
):
    """Rates (bin, track) of one sequence of codes under a checkpoint's tensors."""
    x = one_hot(codes, n_value)
    for i, (pool, dilation, is_dense) in enumerate(zip(pools, dilations, dense, strict=True)):
        norm = [tensors[f"cnn{i}/batch_normalization/{name}"] for name in NORM]
        kernel = tensors[f"cnn{i}/conv1d/kernel"]
        if relu_first:
            y = batch_norm(conv(relu(x), kernel, dilation), *norm, epsilon)
            y = max_pool(np.concatenate([x, y], axis=1) if is_dense else y, pool)
        else:
            y = max_pool(relu(batch_norm(conv(x, kernel, dilation), *norm, epsilon)), pool)
            y = np.concatenate([x, y], axis=1) if is_dense else y
        x = y
    x = relu(x) if relu_first else x
    head = "final/dense" if "final/dense/kernel" in tensors else "final/conv1d"
    kernel = tensors[f"{head}/kernel"].astype(np.float64)
    z = x[crop : len(x) - crop] @ kernel.reshape(kernel.shape[-2:]) + tensors[f"{head}/bias"].astype(np.float64)
    return link(z)
