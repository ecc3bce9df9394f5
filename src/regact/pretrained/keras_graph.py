"""What `model_config` says of a network: layers this project does not have, the form of its GELU, sizes to compare."""

from collections.abc import Iterator, Sequence
from typing import Any

from regact.model.stack import (
    ActivationName,
    ActivationSpec,
    ConvSpec,
    MaxPoolSpec,
    SeparableConvSpec,
    UNetSpec,
)
from regact.pretrained.keras_file import KerasFile
from regact.pretrained.keras_line import CLASSES
from regact.pretrained.keras_network import Network

_GELU_CLASS = "GELU"  # basenji's own layer, until April 2022: x sigmoid(1.702 x)
_FUNCTION_CLASSES = ("TFOpLambda", "SlicingOpLambda")
_GELU_FUNCTION = "nn.gelu"
_FUNCTIONS = (_GELU_FUNCTION, "math.sigmoid", "math.tanh", "nn.relu", "math.softplus", "nn.softplus")
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
KNOWN_CLASSES = tuple(sorted({name for classes in CLASSES.values() for name in classes} | set(_PLAIN_CLASSES)))


def strangers(file: KerasFile) -> Iterator[str]:
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
    crops = [network.spec.crop_bins] if network.spec.crop_bins else []
    found = [_first(layer.config["cropping"]) for layer in file.layers if layer.class_name == "Cropping1D"]
    yield from _compare("Cropping1D", crops, [crop for crop in found if crop])
    for match in network.matches:
        if isinstance(match.spec, ConvSpec | SeparableConvSpec) and match.layer:
            dilation = _first(match.layer.config.get("dilation_rate", match.spec.dilation))
            if dilation != match.spec.dilation:
                yield f"{match.layer.name} ({match.where}) has dilation {dilation}; needed {match.spec.dilation}"


def _settings(file: KerasFile, class_name: str, key: str) -> list[int]:
    return [_first(layer.config[key]) for layer in file.layers if layer.class_name == class_name]


def _first(value: Any) -> int:
    """Keras writes sizes as numbers and as lists of them, (left, right) for a crop."""
    while isinstance(value, list | tuple):
        value = value[0]
    return int(value)


def _compare(what: str, needed: Sequence[int], found: Sequence[int]) -> Iterator[str]:
    if list(needed) != list(found):
        yield f"{what} of model_config are {list(found)}; needed {list(needed)}, as params.json has them"
