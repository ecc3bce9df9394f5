"""The tf.train.Example in a record: a map from names to lists of bytes, floats or whole numbers.

Field numbers from TensorFlow's `example.proto` and `feature.proto`: Example.features = 1; Features.feature = 1, a map
(key = 1, value = 2); Feature is one of bytes_list = 1, float_list = 2, int64_list = 3, each with its values in 1.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float32

from regact.engine import read_fields

_KINDS = {1: "bytes", 2: "floats", 3: "whole numbers"}

Feature = memoryview | Float32[np.ndarray, " value"]


def read_example(record: bytes) -> dict[str, Feature]:
    """The features of a record: bytes as a view of it, floats as an array, in whatever order they are written.

    Raises: ValueError where the record is no tf.train.Example, or a feature holds several byte strings or whole
        numbers, which no data of Basenji's has.
    """
    features: dict[str, Feature] = {}
    for entry in _entries(record):
        parts = dict(read_fields(entry))
        name, value = parts.get(1), parts.get(2)
        if not isinstance(name, memoryview) or not isinstance(value, memoryview):
            raise ValueError("a feature without name or value")
        key = bytes(name).decode("utf-8", "replace")
        features[key] = _read_feature(key, value)
    return features


def _entries(record: bytes) -> Iterator[memoryview]:
    """The entries of the map from names to features."""
    for field, features in read_fields(record):
        if not isinstance(features, memoryview):
            raise ValueError("no tf.train.Example")
        if field == 1:
            yield from (
                entry for number, entry in read_fields(features) if number == 1 and isinstance(entry, memoryview)
            )


def _read_feature(name: str, feature: memoryview) -> Feature:
    for kind, values in read_fields(feature):
        if not isinstance(values, memoryview):
            break
        parts = [value for number, value in read_fields(values) if number == 1]
        if kind == 1 and len(parts) == 1 and isinstance(parts[0], memoryview):
            return parts[0]
        if kind == 2:  # packed in one part, or one number a part
            return np.frombuffer(b"".join(part for part in parts if isinstance(part, memoryview)), "<f4")
        raise ValueError(f"feature {name} is a list of {len(parts)} {_KINDS.get(kind, 'unknown values')}")
    raise ValueError(f"feature {name} has no values")
