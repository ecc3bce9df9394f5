"""Run by a Python that has TensorFlow and tf_keras (see test_real_keras.py): a network built, saved and run by Keras.

    with_keras.py NETWORK SEQUENCES.npz MODEL.h5 RATES.npz [weights | heads | deep_heads | second | sync | trained]

SEQUENCES has one_hot (sequence, position, 4); RATES gets rates (sequence, bin, track), one array a head.
"""

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras_networks
import numpy as np
import tensorflow as tf
import tf_keras as keras
from tf_keras import layers


class GELU(layers.Layer):
    def call(self, x):
        return keras.activations.sigmoid(1.702 * x) * x


class Scale(layers.Layer):
    def build(self, shape):
        self.scale = self.add_weight(name="scale", shape=[shape[-1]], initializer="zeros")

    def call(self, x):
        return x * self.scale


class Softplus(layers.Layer):
    def call(self, x):
        return keras.activations.softplus(tf.clip_by_value(x, -10000, 10000))


class MultiheadAttention(layers.Layer):
    """Attention with relative positions: each pair's offset looked up in the scores of all offsets."""

    def __init__(self, heads, key_size, value_size, position_features, content_position_bias, **kwargs):
        super().__init__(**kwargs)
        self.heads, self.key_size, self.value_size = heads, key_size, value_size
        self.features, self.content_position_bias = position_features, content_position_bias
        self.q_layer = layers.Dense(heads * key_size, use_bias=False, name="q_layer")
        self.k_layer = layers.Dense(heads * key_size, use_bias=False, name="k_layer")
        self.v_layer = layers.Dense(heads * value_size, use_bias=False, name="v_layer")
        self.embedding_layer = layers.Dense(heads * value_size, name="embedding_layer")
        self.r_k_layer = layers.Dense(heads * key_size, use_bias=False, name="r_k_layer")
        shape = [1, heads, 1, key_size]
        self.content_bias = self.add_weight(name=f"{self.name}/r_w_bias", shape=shape)
        self.position_bias = self.add_weight(name=f"{self.name}/r_r_bias", shape=shape)

    def split(self, x):
        return tf.transpose(tf.reshape(x, [-1, x.shape[1], self.heads, x.shape[2] // self.heads]), [0, 2, 1, 3])

    def call(self, x):
        bins = x.shape[1]
        q = self.split(self.q_layer(x)) * self.key_size**-0.5
        k, v = self.split(self.k_layer(x)), self.split(self.v_layer(x))
        scores = tf.matmul(q + self.content_bias, k, transpose_b=True)
        offsets = tf.range(1 - bins, bins, dtype=tf.float32)
        base = np.exp(np.log(bins + 1) / (self.features // 2)).astype("float32")
        widths = tf.pow(base, tf.range(1, self.features // 2 + 1, dtype=tf.float32)) - 1
        inside = tf.cast(widths > tf.abs(offsets)[:, None], tf.float32)
        features = tf.concat([inside, tf.sign(offsets)[:, None] * inside], axis=-1)
        r = self.split(self.r_k_layer(features[None]))
        at = tf.range(bins)[None, :] - tf.range(bins)[:, None] + bins - 1  # of each pair among the offsets
        if self.content_position_bias:
            by_offset = tf.matmul(q + self.position_bias, r, transpose_b=True)
            scores += tf.stack([tf.gather(by_offset[:, :, j], at[j], axis=2) for j in range(bins)], axis=2)
        else:
            scores += tf.gather(tf.matmul(self.position_bias, r, transpose_b=True)[:, :, 0], at, axis=2)
        gathered = tf.transpose(tf.matmul(tf.nn.softmax(scores), v), [0, 2, 1, 3])
        return self.embedding_layer(tf.reshape(gathered, [-1, bins, self.heads * self.value_size]))

    def get_config(self):  # as little as baskerville's
        return super().get_config() | {"value_size": self.value_size, "key_size": self.key_size}


class KerasSession:
    """What NumpySession (keras_numpy.py) does, by Keras."""

    def __init__(self, *, sync=False):
        self.sync = sync

    def conv1d(self, x, filters, width=1, *, dilation=1, bias=True):
        return layers.Conv1D(filters, width, padding="same", dilation_rate=dilation, use_bias=bias)(x)

    def separable_conv1d(self, x, filters, width):
        return layers.SeparableConv1D(filters, width, padding="same")(x)

    def dense(self, x, units, activation="linear", *, bias=True):
        return layers.Dense(units, activation=activation, use_bias=bias)(x)

    def batch_norm(self, x):
        if self.sync:
            return layers.experimental.SyncBatchNormalization(momentum=0.9)(x)
        return layers.BatchNormalization(momentum=0.9)(x)

    def layer_norm(self, x):
        return layers.LayerNormalization()(x)

    def scale(self, x):
        return Scale()(x)

    def attention(self, x, *, heads, key_size, position_features, content_position_bias=True):
        value_size = x.shape[-1] // heads
        return MultiheadAttention(heads, key_size, value_size, position_features, content_position_bias)(x)

    def activation(self, x, name):
        if name == "gelu_sigmoid":
            return GELU()(x)
        if name.startswith("gelu"):
            return keras.activations.gelu(x, approximate=name == "gelu_tanh")
        if name == "relu":
            return layers.ReLU()(x)
        return Softplus()(x) if name == "softplus" else getattr(keras.activations, name)(x)

    def dropout(self, x):
        return layers.Dropout(0.1)(x)

    def add(self, x, y):
        return layers.Add()([x, y])

    def concatenate(self, x, y):
        return layers.Concatenate()([x, y])

    def max_pool(self, x, size):
        return layers.MaxPooling1D(size, padding="same")(x)

    def upsample(self, x, size):
        return layers.UpSampling1D(size)(x)

    def crop(self, x, positions):
        return layers.Cropping1D(positions)(x)


def build(network, *, sync, heads):
    settings = getattr(keras_networks, network.split("_")[0].upper())
    sequence = keras.Input(shape=(settings["seq_length"], 4), name="sequence")
    k = KerasSession(sync=sync)
    if heads:
        trunk = keras_networks.borzoi_trunk(k, sequence)
        ends = [k.dense(k.activation(trunk, "gelu_tanh"), 6) for _ in range(2)] if heads == "deep" else [trunk, trunk]
        return keras.Model(sequence, [k.dense(end, units, "softplus") for end, units in zip(ends, (4, 3), strict=True)])
    return keras.Model(sequence, getattr(keras_networks, network)(k, sequence))


def randomize(model):
    random = np.random.default_rng(5)
    for weight in model.weights:
        shape, name = weight.shape.as_list(), weight.name
        values = random.normal(0, 1 / np.sqrt(np.prod(shape[:-1])) if "kernel" in name else 0.5, shape)
        if "gamma" in name or "scale" in name:
            values += 1
        weight.assign(np.abs(values) + 0.3 if "variance" in name else values)


def train(model, one_hot):
    """A few steps on random counts, so that batch norm's statistics are those of data."""
    model.compile(keras.optimizers.SGD(1e-3, momentum=0.9), "poisson")
    targets = np.random.default_rng(6).poisson(1.0, (len(one_hot), *model.output_shape[1:])).astype("float32")
    model.fit(one_hot, targets, batch_size=2, epochs=3, verbose=0)


def main(network, sequences, path, rates, how="model"):
    with np.load(sequences) as arrays:
        one_hot = arrays["one_hot"].astype("float32")
    if how == "second":  # Keras goes on counting
        build(network, sync=False, heads="")
    heads = {"heads": "plain", "deep_heads": "deep"}.get(how, "")
    model = build(network, sync=how == "sync", heads=heads)
    randomize(model)
    if how == "trained":
        train(model, one_hot)
    if how == "weights":
        model.save_weights(path)
    else:
        model.save(path, include_optimizer=how == "trained")
    predicted = model.predict(one_hot, verbose=0)
    predicted = predicted if isinstance(predicted, list) else [predicted]
    np.savez(rates, *predicted)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main(*sys.argv[1:])
