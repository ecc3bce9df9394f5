"""Keras's HDF5 files (`model.save("model.h5")` of Keras 2): layers in order, their datasets, their configuration.

    attributes   keras_version, backend, model_config (JSON of the graph; absent where only weights were saved)
    model_weights/                      attribute layer_names: all layers, those without weights too
        conv1d_3/                       attribute weight_names: paths below this group
            conv1d_3/kernel:0

Layers are numbered by the session that made them, so only their order and their class mean something.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from jaxtyping import Shaped

from regact.errors import FormatError

_CLASS_OF_NAME = {
    "conv1d": "Conv1D",
    "separable_conv1d": "SeparableConv1D",
    "dense": "Dense",
    "batch_normalization": "BatchNormalization",
    "sync_batch_normalization": "SyncBatchNormalization",
    "layer_normalization": "LayerNormalization",
    "multihead_attention": "MultiheadAttention",
    "scale": "Scale",
}


@dataclass(frozen=True)
class KerasLayer:
    """A layer of the file.

    Attributes:
        name: Its name in the file, such as `conv1d_3`.
        class_name: Its Keras class; where the file has no `model_config`, as its name suggests.
        config: Its settings; empty without `model_config`.
        calls: The keyword arguments of each call of it, of functions such as `tf.nn.gelu`.
        inputs: The layers whose outputs it takes; none without `model_config`.
        datasets: Path of each weight in the file by its short name (`kernel`, `q_layer/kernel`).
        shapes: Shape of each weight by its short name; weights that are listed and missing have none.
    """

    name: str
    class_name: str
    config: Mapping[str, Any] = field(default_factory=dict)
    calls: tuple[Mapping[str, Any], ...] = ()
    inputs: tuple[str, ...] = ()
    datasets: Mapping[str, str] = field(default_factory=dict)
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


class KerasFile:
    """The layers of a file; weights are read when they are asked for.

    Attributes:
        path: The file.
        version: The Keras that wrote it, as it says.
        has_config: Whether it holds `model_config`.
        layers: All layers, in the order of `layer_names`.
        outputs: The layers that put out what the model does, one a head; none without `model_config`.
    """

    def __init__(self, path: str | Path) -> None:
        """Open and list. Raises: FormatError where it is no such file, or damaged."""
        self.path = Path(path)
        with self._open() as file:
            weights = file.get("model_weights", file)
            if "layer_names" not in weights.attrs and "layer_names0" not in weights.attrs:
                raise FormatError(
                    self.path,
                    "no attribute layer_names" + (" (written by Keras 3?)" if "layers" in file else ""),
                    "an HDF5 file of Keras 2",
                    "save it with model.save('model.h5') under Keras 2",
                )
            self.version = _text(file.attrs.get("keras_version", weights.attrs.get("keras_version", "unknown")))
            configs, self.outputs = self._graph(file)
            self.has_config = bool(configs)
            self.layers = tuple(
                _read_layer(weights, name, configs.get(name)) for name in _names(weights, "layer_names")
            )

    def of_output(self, number: int) -> "KerasFile":
        """The same file as if it had one output: with those layers alone that this one is made from, in their order."""
        by_name = {layer.name: layer for layer in self.layers}
        found, waiting = set(), [self.outputs[number]]
        while waiting:
            name = waiting.pop()
            if name in by_name and name not in found:
                found.add(name)
                waiting += by_name[name].inputs
        part = copy(self)
        part.layers = tuple(layer for layer in self.layers if layer.name in found)
        part.outputs = (self.outputs[number],)
        return part

    def read(self, weights: Iterable[tuple[KerasLayer, str]]) -> Iterator[Shaped[np.ndarray, "..."]]:
        """Weights of layers by their short names, one after the other.

        Raises: FormatError where the bytes of one cannot be read.
        """
        with self._open() as file:
            for layer, short in weights:
                try:
                    values = np.asarray(file[layer.datasets[short]])
                except (OSError, KeyError) as error:
                    where, found = f"{self.path}: {layer.datasets[short]}", f"cannot be read ({error})"
                    raise FormatError(where, found, "a whole dataset", "copy again") from error
                yield values

    def _open(self) -> h5py.File:
        try:
            return h5py.File(self.path, "r")
        except OSError as error:
            raise FormatError(self.path, f"cannot be opened ({error})", "a whole HDF5 file of Keras") from error

    def _graph(self, file: h5py.File) -> tuple[dict[str, dict[str, Any]], tuple[str, ...]]:
        """Of `model_config` class, settings and inputs of each layer, and the output layers; nothing without it."""
        if "model_config" not in file.attrs:
            return {}, ()
        try:
            graph = json.loads(_text(file.attrs["model_config"]))["config"]
            layers = {layer["name"]: layer for layer in graph["layers"]}
            return layers, tuple(dict.fromkeys(_references(graph.get("output_layers", ()))))
        except (ValueError, KeyError, TypeError) as error:
            raise FormatError(
                self.path, f"model_config cannot be read ({error})", "the JSON of a functional model"
            ) from error


def _read_layer(weights: h5py.Group, name: str, entry: Mapping[str, Any] | None) -> KerasLayer:
    group = weights.get(name)
    paths = [] if group is None else _names(group, "weight_names")
    datasets, shapes = {}, {}
    for path in paths:
        short = _short_name(path, name)
        datasets[short] = f"{group.name}/{path}"
        if path in group:
            shapes[short] = tuple(group[path].shape)
    entry = entry or {}
    class_name = entry.get("class_name", _CLASS_OF_NAME.get(re.sub(r"_\d+$", "", name), name))
    return KerasLayer(
        name=name,
        class_name=class_name.split(">")[-1],  # classes of a package are registered as package>Class
        config=entry.get("config", {}),
        calls=tuple(_calls(entry)),
        inputs=tuple(dict.fromkeys(_references(entry.get("inbound_nodes", ())))),
        datasets=datasets,
        shapes=shapes,
    )


def _short_name(path: str, layer: str) -> str:
    """`conv1d_3/kernel:0` is `kernel`; a sublayer's name stays before that of its weight."""
    parts = path.removesuffix(":0").split("/")
    return "/".join(part for i, part in enumerate(parts) if len(parts) - i == 1 or (i and part != layer))


def _calls(entry: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Keyword arguments that stand as the last item of every list in `inbound_nodes`, however deep these are."""
    stack = list(entry.get("inbound_nodes", ()))
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            if node and isinstance(node[-1], dict):
                yield node[-1]
            else:
                stack += node


def _references(node: Any) -> Iterator[str]:
    """The layers that a part of the graph refers to, each as [name, node, tensor] with perhaps arguments behind."""
    if isinstance(node, Mapping):
        node = list(node.values())
    if not isinstance(node, list):
        return
    if len(node) >= 3 and isinstance(node[0], str) and isinstance(node[1], int) and isinstance(node[2], int):
        yield node[0]
    for inner in node:
        yield from _references(inner)


def _names(group: h5py.Group, attribute: str) -> list[str]:
    """A list of names; Keras cuts long ones into attributes `layer_names0`, `layer_names1`, ...."""
    if attribute in group.attrs:
        return [_text(name) for name in group.attrs[attribute]]
    parts = takewhile(group.attrs.__contains__, (f"{attribute}{i}" for i in count()))
    return [_text(name) for part in parts for name in group.attrs[part]]


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
