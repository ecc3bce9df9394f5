"""What `model_config` says of a network: layers this project does not have, the form of its GELU, sizes to compare."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from regact.model.stack import (
    ActivationName,
    ActivationSpec,
    ConvSpec,
    DenseSpec,
    LayerSpec,
    MaxPoolSpec,
    RelativeAttentionSpec,
    SeparableConvSpec,
    UNetSpec,
)
from regact.pretrained.keras_file import KerasFile, KerasLayer
from regact.pretrained.keras_line import CLASSES
from regact.pretrained.keras_network import Network

_GELU_CLASS = "GELU"  # basenji's own layer, until April 2022: x sigmoid(1.702 x)
_FUNCTION_CLASSES = ("TFOpLambda", "SlicingOpLambda")
_GELU_FUNCTION = "nn.gelu"
_FUNCTIONS = {  # and what they are called in params.json
    _GELU_FUNCTION: "gelu",
    "math.sigmoid": "sigmoid",
    "math.tanh": "tanh",
    "nn.relu": "relu",
    "math.softplus": "softplus",
    "nn.softplus": "softplus",
}
_ACTIVATION_CLASSES = {_GELU_CLASS: "gelu", "ReLU": "relu", "Softplus": "softplus"}
# Of those without weights; of them augmentation does nothing in inference.
_PLAIN_CLASSES = (
    "InputLayer",
    "StochasticReverseComplement",
    "StochasticShift",
    "SwitchReverse",
    "Activation",
    "ReLU",
    _GELU_CLASS,
    "Softplus",
    "MaxPooling1D",
    "UpSampling1D",
    "Cropping1D",
    "Add",
    "Concatenate",
    "Dropout",
)
_PLAIN_CONVOLUTION = {
    "padding": "same",
    "strides": 1,
    "groups": 1,
    "depth_multiplier": 1,
    "activation": "linear",
    "data_format": "channels_last",
}
_PUBLISHED_ATTENTION = {
    "scaling": True,
    "relative_position_symmetric": False,
    "relative_position_functions": ["positional_features_central_mask"],
    "gated": False,
    "transpose_stride": 0,
    "qkv_width": 1,
}
KNOWN_CLASSES = tuple(sorted({name for classes in CLASSES.values() for name in classes} | set(_PLAIN_CLASSES)))


def unknown_layers(file: KerasFile) -> Iterator[str]:
    """Each layer of the file that this project does not have, in words."""
    for layer in file.layers:
        function = layer.config.get("function")
        if layer.class_name in _FUNCTION_CLASSES and function in _FUNCTIONS:
            continue
        if layer.class_name in KNOWN_CLASSES or not (file.has_config or layer.datasets):
            continue
        what = f"function {function}" if function else f"class {layer.class_name}"
        yield f"layer {layer.name}, {what}, is none of this project's; it has {', '.join(KNOWN_CLASSES)}"


def gelu_forms(file: KerasFile) -> tuple[ActivationName, ...]:
    """The forms of GELU that the file's network has, in the order in which they first occur."""
    found: list[ActivationName] = []
    for layer in file.layers:
        if layer.class_name == _GELU_CLASS:
            found.append("gelu_sigmoid")
        elif layer.config.get("function") == _GELU_FUNCTION:
            found += ["gelu_tanh" if call.get("approximate") else "gelu_erf" for call in layer.calls or ({},)]
        elif layer.class_name == "Activation" and layer.config.get("activation") == "gelu":
            found.append("gelu_erf")
    return tuple(dict.fromkeys(found))


def strand_pairs(file: KerasFile, tracks: int) -> tuple[int, ...] | None:
    """Each track's strand pair, as the layer SwitchReverse of a head has them; None where it does not say them.

    Files of before baskerville do not; of pairs that are no pairs of so many tracks nothing is believed.
    """
    for layer in file.layers:
        pairs = layer.config.get("strand_pair") if layer.class_name == "SwitchReverse" else None
        if isinstance(pairs, list) and sorted(pairs) == list(range(tracks)):
            return tuple(pairs) if all(pairs[pair] == track for track, pair in enumerate(pairs)) else None
    return None


def uses_gelu(network: Network) -> bool:
    """Whether any layer of the network is a GELU."""
    return any(isinstance(layer, ActivationSpec) and layer.name.startswith("gelu") for layer in network.leaves())


def contradictions(file: KerasFile, network: Network) -> Iterator[str]:
    """In what `model_config` says otherwise than `params.json`: sizes that the weights' shapes do not show."""
    if not file.has_config:
        return
    layers = list(network.leaves())
    pools = [layer.size for layer in layers if isinstance(layer, MaxPoolSpec)]
    finer = [layer.factor for layer in layers if isinstance(layer, UNetSpec)]
    yield from _compare("max-pools", pools, _settings(file, "MaxPooling1D", "pool_size"))
    yield from _compare("upsampling", finer, _settings(file, "UpSampling1D", "size"))
    yield from _compare_activations(file, network)
    crops = [network.spec.crop_bins] if network.spec.crop_bins else []
    found = [_first(layer.config["cropping"]) for layer in file.layers if layer.class_name == "Cropping1D"]
    yield from _compare("Cropping1D", crops, [crop for crop in found if crop])
    for layer in file.layers:
        if layer.class_name == "MaxPooling1D":
            yield from _compare_settings(layer, {"padding": "same", "strides": _first(layer.config["pool_size"])})
    for match in network.matches:
        if match.layer:
            last = match is network.matches[-1]
            yield from _compare_settings(match.layer, _settings_of(match.spec, last=last), f" ({match.where})")


def _settings_of(spec: LayerSpec, *, last: bool) -> dict[str, Any]:
    """What Keras calls those settings of a layer that no shape shows, with the values that it needs.

    A layer whose class does not tell one of them (baskerville's attention tells two sizes) is as `params.json` says.
    """
    if isinstance(spec, ConvSpec | SeparableConvSpec):
        return _PLAIN_CONVOLUTION | {"dilation_rate": spec.dilation}
    if isinstance(spec, DenseSpec) and not last:  # the last one's is the link
        return {"activation": "linear"}
    if isinstance(spec, RelativeAttentionSpec):
        return _PUBLISHED_ATTENTION | {
            "heads": spec.heads,
            "content_position_bias": spec.content_position_bias,
            "num_position_features": spec.position_features,
            "seqlen_train": spec.feature_bins,
        }
    return {}


def _compare_settings(layer: KerasLayer, needed: Mapping[str, Any], where: str = "") -> Iterator[str]:
    for name, value in needed.items():
        found = layer.config.get(name)
        if found is not None and (_first(found) if isinstance(value, int) else found) != value:
            yield f"{layer.name}{where} has {name} {found}; needed {value}"


def _compare_activations(file: KerasFile, network: Network) -> Iterator[str]:
    """Which activations there are, but for the form of GELU."""
    names = {layer.name for layer in network.leaves() if isinstance(layer, ActivationSpec)}
    needed = {"gelu" if name.startswith("gelu") else name for name in names}
    found = {name for layer in file.layers if (name := _activation(layer))}
    # A dense layer has its own; that of the last one, or a layer behind it, is the link.
    dense = [match.layer for match in network.matches if match.layer and match.layer.class_name == "Dense"]
    found |= {layer.config.get("activation", "linear") for layer in dense} - {"linear"}
    needed.add("exponential" if network.spec.head.link == "exp" else network.spec.head.link)
    if needed != found:
        yield f"activations of model_config are {_listed(found)}; needed {_listed(needed)}, as params.json has them"


def _activation(layer: KerasLayer) -> str | None:
    if layer.class_name == "Activation":
        name = str(layer.config.get("activation"))
        return None if name == "linear" else name
    return _ACTIVATION_CLASSES.get(layer.class_name) or _FUNCTIONS.get(str(layer.config.get("function")))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _settings(file: KerasFile, class_name: str, key: str) -> list[int]:
    return [_first(layer.config[key]) for layer in file.layers if layer.class_name == class_name]


def _first(value: Any) -> int:
    """Keras writes sizes as numbers and as lists of them, (left, right) for a crop; flags are 0 and 1."""
    while isinstance(value, list | tuple):
        value = value[0]
    return int(value)


def _compare(what: str, needed: Sequence[int], found: Sequence[int]) -> Iterator[str]:
    if list(needed) != list(found):
        yield f"{what} of model_config are {list(found)}; needed {list(needed)}, as params.json has them"
