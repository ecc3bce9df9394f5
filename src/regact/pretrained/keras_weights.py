"""From a Keras layer's tensors to ours: names, shapes, order of axes.

Keras has kernels as (width, channels, filters) and dense matrices as (channels, units); here both are (filters,
channels, width). Heads stand side by side in one axis in both, head before size.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Shaped
from torch import Tensor, nn

from regact.errors import ConfigError
from regact.model import SequenceModel, build_model
from regact.model.stack import ConcatenateSpec, DenseSpec, LayerSpec, ResidualSpec, StackHeadSpec, StackSpec, UNetSpec
from regact.pretrained.keras_file import KerasFile
from regact.pretrained.keras_line import CLASSES, Match
from regact.pretrained.keras_network import Network

_Shape = tuple[int, ...]


@dataclass(frozen=True)
class _Turn:
    """Between Keras's order of axes and ours."""

    ours: Callable[[Shaped[np.ndarray, "..."]], Shaped[np.ndarray, "..."]]
    theirs: Callable[[_Shape], _Shape]  # the shape that Keras gives a tensor of our shape


_SAME = _Turn(lambda array: array, lambda shape: shape)
_KERNEL = _Turn(lambda array: array.transpose(2, 1, 0), lambda shape: shape[::-1])
_MATRIX = _Turn(lambda array: array.T[:, :, None], lambda shape: (shape[1], shape[0]))
_DEPTHWISE = _Turn(lambda array: array.transpose(1, 2, 0), lambda shape: (shape[2], shape[0], shape[1]))
_HEADS = _Turn(lambda array: array[0], lambda shape: (1, *shape))

_NORM = {"gamma": ("norm.weight", _SAME), "beta": ("norm.bias", _SAME)}
_STATISTICS = {"moving_mean": ("norm.running_mean", _SAME), "moving_variance": ("norm.running_var", _SAME)}
# Of each kind of layer: Keras's weights, and our tensors with the turn between them.
_PLACES: dict[str, dict[str, tuple[str, _Turn]]] = {
    "conv": {"kernel": ("weight", _KERNEL), "bias": ("bias", _SAME)},
    "separable_conv": {
        "depthwise_kernel": ("depthwise.weight", _DEPTHWISE),
        "pointwise_kernel": ("pointwise.weight", _KERNEL),
        "bias": ("pointwise.bias", _SAME),
    },
    "dense": {"kernel": ("weight", _MATRIX), "bias": ("bias", _SAME)},
    "batch_norm": _NORM | _STATISTICS,
    "layer_norm": _NORM,
    "scale": {"scale": ("weight", _SAME)},
    "relative_attention": {
        "q_layer/kernel": ("query.weight", _MATRIX),
        "k_layer/kernel": ("key.weight", _MATRIX),
        "v_layer/kernel": ("value.weight", _MATRIX),
        "embedding_layer/kernel": ("join.weight", _MATRIX),
        "embedding_layer/bias": ("join.bias", _SAME),
        "r_k_layer/kernel": ("position_key.weight", _MATRIX),
        "r_w_bias": ("content_bias", _HEADS),
        "r_r_bias": ("position_bias", _HEADS),
    },
}


@dataclass(frozen=True)
class _Place:
    """One of our tensors and the weight that belongs there."""

    match: Match
    weight: str
    tensor: Tensor
    turn: _Turn


def misfits(network: Network) -> list[str]:
    """Every layer, weight and shape in which the file is not the network."""
    with torch.device("meta"):  # shapes alone
        model = build_model(network.spec)
    problems = [*_missing_layers(network)]
    problems += [problem for place in _places(model, network) for problem in _misfit(place)]
    return problems + [problem for match in network.matches for problem in _unknown_weights(match)]


def load_weights(file: KerasFile, network: Network) -> SequenceModel:
    """The model of a network without misfits, with the file's weights.

    Raises: FormatError where a weight's bytes cannot be read; ConfigError where values are not finite.
    """
    model = build_model(network.spec, seed=0)
    places = [(place, layer) for place in _places(model, network) if (layer := place.match.layer)]
    values = file.read((layer, place.weight) for place, layer in places)
    broken = [
        f"{layer.datasets[place.weight]} holds {count} values that are not finite"
        for (place, layer), array in zip(places, values, strict=True)
        if (count := _put(place, array))
    ]
    if broken:
        raise ConfigError(file.path, broken)
    return model


@torch.no_grad()
def _put(place: _Place, values: Shaped[np.ndarray, "..."]) -> int:
    """Put Keras's values where they belong; returns how many are not finite."""
    tensor = torch.tensor(np.ascontiguousarray(place.turn.ours(values)))
    place.tensor.copy_(tensor)
    return int((~tensor.isfinite()).sum())


def _misfit(place: _Place) -> Iterator[str]:
    layer, needed = place.match.layer, place.turn.theirs(tuple(place.tensor.shape))
    if layer is None:
        return
    found, where = layer.shapes.get(place.weight), f"{layer.name} ({place.match.where})"
    if found is None:
        yield f"{where} has no dataset {place.weight}; needed one of shape {needed}"
    elif found != needed:
        yield f"{where} has {place.weight} of shape {found}; needed {needed}"


def _unknown_weights(match: Match) -> Iterator[str]:
    if match.layer is None:
        return
    known = _PLACES[match.spec.kind]
    for weight in match.layer.datasets:
        if weight not in known:
            yield f"{match.layer.name} ({match.where}) has an unknown weight {weight}; needed {', '.join(known)}"


def _missing_layers(network: Network) -> Iterator[str]:
    """One line for each kind of which the file has other numbers than the network."""
    for kind, classes in CLASSES.items():
        wanting = [match for match in network.matches if match.spec.kind == kind and match.layer is None]
        over = [layer.name for layer in network.left_over if layer.class_name in classes]
        needed = sum(match.spec.kind == kind for match in network.matches)
        if wanting:
            found, where = needed - len(wanting), wanting[0].where
            yield f"{found} layers {classes[0]}; needed {needed}, the first missing in {where}"
        if over:
            yield f"{needed + len(over)} layers {classes[0]}; needed {needed}, the first left over is {over[0]}"


def _places(model: SequenceModel, network: Network) -> Iterator[_Place]:
    matches = iter(network.matches)
    for spec, module in _leaves(model):
        match = next(matches)
        tensors = dict(module.named_parameters()) | dict(module.named_buffers())
        for weight, (name, turn) in _PLACES[spec.kind].items():
            if name in tensors:
                yield _Place(match, weight, tensors[name], turn)


def _leaves(model: SequenceModel) -> Iterator[tuple[LayerSpec, nn.Module]]:
    """Every layer with weights and its module, in the order of the spec."""
    spec = model.spec
    stacks = [(spec.tower, model.tower), *zip(spec.context, model.context.children(), strict=True)]
    for stack, module in stacks:
        if isinstance(stack, StackSpec):
            for block, built in zip(stack.blocks, module.get_submodule("blocks").children(), strict=True):
                yield from _walk(block.layers, built.get_submodule("layers"))
    if isinstance(spec.head, StackHeadSpec):
        yield from _walk(spec.head.layers, model.head.get_submodule("block"))
        yield DenseSpec(units=spec.tracks), model.head.affine


def _walk(specs: Sequence[LayerSpec], modules: nn.Module) -> Iterator[tuple[LayerSpec, nn.Module]]:
    for spec, module in zip(specs, modules.children(), strict=True):
        if isinstance(spec, ResidualSpec | ConcatenateSpec):
            yield from _walk(spec.layers, module.get_submodule("branch"))
        elif isinstance(spec, UNetSpec):
            yield from _walk(spec.main, module.get_submodule("main"))
            yield from _walk(spec.side, module.get_submodule("side"))
        elif spec.kind in CLASSES:
            yield spec, module
