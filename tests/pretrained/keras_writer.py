"""Keras 2's HDF5 files, written from their description: model_config, layer_names, a group a layer."""

import json

import h5py
import numpy as np


def write_keras_file(path, layers, *, config=True, version="2.9.0", omit=(), split_names=False, outputs=None):
    """Write `layers` (dicts with class, name, weights, config, calls) as `model.save(path)` of Keras 2 does.

    A layer takes the output of the one before it, or of its `inputs` by name; the last one, or `outputs`, end.
    `config=False` writes what `save_weights` does; `omit` are datasets that are listed and left out; `split_names`
    cuts the list of layers in two attributes, as Keras does with long ones.
    """
    with h5py.File(path, "w") as file:
        weights = file
        file.attrs["keras_version"], file.attrs["backend"] = version, "tensorflow"
        if config:
            entries, before = [], None
            for layer in layers:
                inputs = layer.get("inputs", [] if before is None else [before])
                node = [[name, 0, 0, layer["calls"]] for name in inputs]
                nodes = node if layer["class"] == "TFOpLambda" else ([node] if node else [])
                settings = {"name": layer["name"], **layer["config"]}
                entries.append(
                    {
                        "class_name": layer["class"],
                        "config": settings,
                        "name": layer["name"],
                        "inbound_nodes": nodes,
                    }
                )
                before = layer["name"]
            ends = [[name, 0, 0] for name in outputs or [before]]
            model = {"name": "model", "layers": entries, "output_layers": ends}
            file.attrs["model_config"] = json.dumps({"class_name": "Functional", "config": model})
            weights = file.create_group("model_weights")
        names = np.array([layer["name"].encode() for layer in layers])
        if split_names:
            half = len(names) // 2
            weights.attrs["layer_names0"], weights.attrs["layer_names1"] = names[:half], names[half:]
        else:
            weights.attrs["layer_names"] = names
        for layer in layers:
            group = weights.create_group(layer["name"])
            paths = [f"{layer['name']}/{name}:0" for name in layer["weights"]]
            group.attrs["weight_names"] = np.array([p.encode() for p in paths]) if paths else np.zeros(0)
            for p, array in zip(paths, layer["weights"].values(), strict=True):
                if f"{layer['name']}/{p}" not in omit:
                    group.create_dataset(p, data=array)
    return path
