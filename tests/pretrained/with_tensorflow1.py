"""Run by a Python that has TensorFlow (see test_real_tensorflow1.py): Basenji of 2018 built, saved and run by it.

    python with_tensorflow1.py published | relu_first | full | sliced FOLDER

FOLDER gets model.tf.* and answers.npz: codes (sequence, position) and rates (sequence, bin, track). Layers are
TensorFlow's own operations with the semantics of version 1; the small networks take some steps of Adam before they are
saved, so that moving statistics and optimizer slots are real ones.
"""

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf

tf1 = tf.compat.v1
tf1.disable_eager_execution()
tf1.disable_v2_behavior()

WIDTHS, POOLS = [22, 1, 6, 6, 6, 3] + [3] * 6 + [1], [1, 2, 4, 4, 4, 1] + [1] * 7
DILATIONS, DENSE = [1] * 6 + [2, 4, 8, 16, 32, 64, 1], [False] * 6 + [True] * 6 + [False]
SMALL = {"filters": [31, 36, 43, 51, 60, 71] + [10] * 6 + [136], "tracks": 42, "window": 16_384, "steps": 5, "n": 2}
NETWORKS = {
    "published": {**SMALL, "relu_first": False},
    "relu_first": {**SMALL, "relu_first": True},
    "full": {
        "filters": [312, 368, 435, 514, 607, 717] + [108] * 6 + [1365],
        "tracks": 4229,
        "window": 131_072,
        "steps": 0,
        "n": 1,
        "relu_first": False,
    },
}
CROP = 32


def conv(x, filters, width, dilation=1, bias=False):
    kernel = tf1.get_variable(
        "conv1d/kernel", [width, x.shape[2], filters], initializer=tf1.glorot_uniform_initializer()
    )
    y = tf.nn.convolution(x, kernel, padding="SAME", dilations=[dilation])
    random = tf1.random_normal_initializer()
    return tf.nn.bias_add(y, tf1.get_variable("conv1d/bias", [filters], initializer=random)) if bias else y


def batch_norm(x, training):
    with tf1.variable_scope("batch_normalization"):
        sizes, constant = [x.shape[2]], {"trainable": False}
        gamma = tf1.get_variable("gamma", sizes, initializer=tf1.random_normal_initializer(1.0, 0.4))
        beta = tf1.get_variable("beta", sizes, initializer=tf1.random_normal_initializer(0.1, 0.3))
        mean = tf1.get_variable("moving_mean", sizes, initializer=tf1.zeros_initializer(), **constant)
        variance = tf1.get_variable("moving_variance", sizes, initializer=tf1.ones_initializer(), **constant)
    image = tf.expand_dims(x, 1)

    def with_batch():
        y, m, v = tf1.nn.fused_batch_norm(image, gamma, beta, epsilon=1e-3, is_training=True)
        with tf.control_dependencies([mean.assign(0.9 * mean + 0.1 * m), variance.assign(0.9 * variance + 0.1 * v)]):
            return tf.identity(y)

    def with_moving():
        return tf1.nn.fused_batch_norm(image, gamma, beta, mean, variance, epsilon=1e-3, is_training=False)[0]

    return tf.squeeze(tf.cond(training, with_batch, with_moving), 1)


def pool(x, width):
    return tf.nn.max_pool1d(x, width, width, "SAME") if width > 1 else x


def build(x, training, filters, tracks, relu_first):
    for i, (width, size, dilation, dense) in enumerate(zip(WIDTHS, POOLS, DILATIONS, DENSE, strict=True)):
        with tf1.variable_scope(f"cnn{i}"):
            if relu_first:
                y = batch_norm(conv(tf.nn.relu(x), filters[i], width, dilation), training)
                x = pool(tf.concat([x, y], 2) if dense else y, size)
            else:
                y = pool(tf.nn.relu(batch_norm(conv(x, filters[i], width, dilation), training)), size)
                x = tf.concat([x, y], 2) if dense else y
    x = tf.nn.relu(x) if relu_first else x
    x = x[:, CROP : x.shape[1] - CROP]
    with tf1.variable_scope("final"):
        if relu_first:
            bias = tf1.get_variable("dense/bias", [tracks], initializer=tf1.random_normal_initializer())
            z = tf.tensordot(x, tf1.get_variable("dense/kernel", [x.shape[2], tracks]), 1) + bias
        else:
            z = conv(x, tracks, 1, bias=True)
    return tf.where(z > 0, z + 1, tf.exp(tf.clip_by_value(z, -50, 50)))


def save_network(folder, *, filters, tracks, window, steps, n, relu_first):
    tf1.set_random_seed(1)
    random = np.random.default_rng(1)
    codes = random.integers(0, 5, (n, window)).astype(np.uint8)
    codes[:, window // 2 : window // 2 + 300] = 4
    one_hot = np.vstack([np.eye(4), np.full((1, 4), 0.25)])[codes].astype(np.float32)
    x, training = tf1.placeholder(tf.float32, [None, window, 4]), tf1.placeholder(tf.bool)
    rate = build(x, training, filters, tracks, relu_first)
    target = tf1.placeholder(tf.float32, rate.shape)
    loss = tf.reduce_mean(rate - target * tf1.log(rate))
    step = tf1.train.AdamOptimizer(0.002, beta1=0.97, beta2=0.98).minimize(loss)
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        for _ in range(steps):
            counts = random.poisson(2.0, (n, *rate.shape[1:]))
            session.run(step, {x: one_hot, training: True, target: counts})
        tf1.train.Saver().save(session, str(folder / "model.tf"), write_meta_graph=False)
        np.savez(folder / "answers.npz", codes=codes, rates=session.run(rate, {x: one_hot, training: False}))


def save_sliced(folder):
    with tf1.variable_scope("cnn0", partitioner=tf1.fixed_size_partitioner(2)):
        tf1.get_variable("conv1d/kernel", [22, 4, 6])
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        tf1.train.Saver().save(session, str(folder / "model.tf"), write_meta_graph=False)


if __name__ == "__main__":
    name, folder = sys.argv[1], Path(sys.argv[2])
    if name == "sliced":
        save_sliced(folder)
    else:
        save_network(folder, **NETWORKS[name])
