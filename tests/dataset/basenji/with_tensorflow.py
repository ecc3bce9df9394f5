"""Run by a Python that has TensorFlow (see test_real_tensorflow.py): TFRecords written and read by TensorFlow itself.

    python with_tensorflow.py write ARRAYS.npz SHARD.tfr floats|bytes
    python with_tensorflow.py read SHARD.tfr ARRAYS.npz

Arrays: sequence uint8 (record, byte), target (record, bin, track), umap bool (record, bin).
"""

import sys

import numpy as np
import tensorflow as tf


def feature_bytes(values):
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[values.flatten().tobytes()]))


def write(arrays, shard, target_as):
    with tf.io.TFRecordWriter(shard, tf.io.TFRecordOptions(compression_type="ZLIB")) as writer:
        for sequence, target, umap in zip(arrays["sequence"], arrays["target"], arrays["umap"], strict=True):
            floats = tf.train.Feature(float_list=tf.train.FloatList(value=target.flatten()))
            features = {
                "sequence": feature_bytes(sequence),
                "target": floats if target_as == "floats" else feature_bytes(target.astype(np.float16)),
                "umap": feature_bytes(umap),
            }
            writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())


def read(shard):
    names = ("sequence", "target", "umap")
    wanted = {name: tf.io.FixedLenFeature([], tf.string) for name in names}
    parsed = [
        tf.io.parse_single_example(one, wanted) for one in tf.data.TFRecordDataset(shard, compression_type="ZLIB")
    ]
    kinds = dict(zip(names, (np.uint8, np.float16, bool), strict=True))
    return {name: np.stack([np.frombuffer(one[name].numpy(), kind) for one in parsed]) for name, kind in kinds.items()}


if __name__ == "__main__":
    what, source, out = sys.argv[1:4]
    if what == "write":
        write(np.load(source), out, sys.argv[4])
    else:
        np.savez(out, **read(source))
