"""Which layers a TensorFlow 1 checkpoint of Basenji (2018) holds, read from its tensors' names and shapes.

    cnn0/conv1d/kernel (width, channels, filters)         layer after layer: the tower, then dilated layers whose output
    cnn0/batch_normalization/{gamma,beta,...} (filters,)  stands behind their input (dense), then one of width 1
    final/conv1d/{kernel,bias} or final/dense/...         the affine layer to the tracks

Narrower files of the same layout fit as well as the published one.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Shape = tuple[int, ...]

BASES = 4
# Batch norm's tensors, in TensorFlow's words and in torch's.
NORM = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
HEADS = ("final/conv1d", "final/dense")
_KERNEL = re.compile(r"cnn(\d+)/conv1d/kernel")
# What only training needs: the optimizer's, the step's, and batch renormalisation's own statistics.
_OF_TRAINING = re.compile(
    r"(?:.*/)?(?:Adam|Adam_1|Momentum|RMSProp|RMSProp_1|beta1_power|beta2_power|global_step"
    r"|renorm_mean|renorm_mean_weight|renorm_stddev|renorm_stddev_weight)"
)


@dataclass(frozen=True)
class ConvLayer:
    """A convolution, by its kernel's shape and what enters the layer behind it; dense: its input stays beside it."""

    name: str
    width: int
    channels: int
    filters: int
    dense: bool


@dataclass(frozen=True)
class Layout:
    """The layers of a checkpoint: tower, dilated, the head's block; the name of the affine layer, and its tracks."""

    tower: tuple[ConvLayer, ...]
    dilated: tuple[ConvLayer, ...]
    block: ConvLayer
    affine: str
    tracks: int

    @property
    def layers(self) -> tuple[ConvLayer, ...]:
        """All convolutions in their order."""
        return (*self.tower, *self.dilated, self.block)


def is_of_training(name: str) -> bool:
    """Whether a tensor matters to training alone: optimizer slots, the step, batch renormalisation."""
    return _OF_TRAINING.fullmatch(name) is not None


def find_layout(shapes: Mapping[str, Shape]) -> tuple[Layout | None, list[str]]:
    """The layers that tensors of these names and shapes make, and everything that does not fit, one sentence each.

    There is a layout where nothing is wrong.
    """
    kernels = {int(match[1]): shapes[name] for name in shapes if (match := _KERNEL.fullmatch(name))}
    heads = [head for head in HEADS if f"{head}/kernel" in shapes]
    problems = []
    if not kernels:
        problems.append("no tensor cnn0/conv1d/kernel; needed the layers of a Basenji of 2018")
    if len(heads) != 1:
        problems.append(f"{' and '.join(heads) or 'no final layer'} found; needed {' or '.join(HEADS)}")
    layers, broken = _chain(kernels, shapes.get(f"{heads[0]}/kernel", ())[-2:-1] if heads else ())
    problems += broken
    tracks = shapes[f"{heads[0]}/kernel"][-1] if heads and shapes[f"{heads[0]}/kernel"] else 0
    problems += _tensor_problems(_expected_shapes(kernels, heads, layers, tracks), shapes)
    if problems:
        return None, problems
    n_dense = sum(layer.dense for layer in layers)
    n_tower = len(layers) - 1 - n_dense
    layout = Layout(
        tower=tuple(layers[:n_tower]),
        dilated=tuple(layers[n_tower:-1]),
        block=layers[-1],
        affine=heads[0],
        tracks=tracks,
    )
    problems = _order_problems(layout)
    return (None, problems) if problems else (layout, [])


def _chain(kernels: Mapping[int, Shape], channels_of_head: Shape) -> tuple[list[ConvLayer], list[str]]:
    """The layers that fit on each other, and where one does not fit on the one before it."""
    layers, problems = [], []
    for number, kernel in sorted(kernels.items()):
        name = f"cnn{number}/conv1d/kernel"
        if len(kernel) != 3:
            problems.append(f"{name} has shape {kernel}; needed (width, channels, filters)")
            continue
        width, channels, filters = kernel
        if number == 0 and channels != BASES:
            problems.append(f"{name} has {channels} channels; needed {BASES}, one a base")
        after = kernels.get(number + 1, channels_of_head if number == max(kernels) else ())
        entering = after[1] if len(after) == 3 else after[0] if len(after) == 1 else filters
        if entering not in (filters, channels + filters):
            behind = f"cnn{number + 1}/conv1d/kernel" if number < max(kernels) else "the final layer's kernel"
            problems.append(
                f"{behind} has {entering} channels; needed {filters}, or {channels + filters} behind a dense layer"
            )
        layers.append(ConvLayer(f"cnn{number}", width, channels, filters, dense=entering == channels + filters))
    return layers, problems


def _expected_shapes(
    kernels: Mapping[int, Shape], heads: Sequence[str], layers: Sequence[ConvLayer], tracks: int
) -> dict[str, Shape | None]:
    """Every tensor's shape; None where what it should be is not known, or was told before."""
    expected: dict[str, Shape | None] = {}
    filters = {layer.name: (layer.filters,) for layer in layers}
    for number in range(max(kernels, default=-1) + 1):
        expected[f"cnn{number}/conv1d/kernel"] = None
        for tensor in NORM:
            expected[f"cnn{number}/batch_normalization/{tensor}"] = filters.get(f"cnn{number}")
    for head in heads:
        expected[f"{head}/kernel"] = None
        expected[f"{head}/bias"] = (tracks,)
    return expected


def _tensor_problems(expected: Mapping[str, Shape | None], shapes: Mapping[str, Shape]) -> list[str]:
    problems = [f"{name} is missing" for name in expected if name not in shapes]
    problems += [
        f"{name} has shape {shapes[name]}; needed {shape}"
        for name, shape in expected.items()
        if shape is not None and name in shapes and shapes[name] != shape
    ]
    return problems + [f"{name} is no tensor of this network" for name in shapes if name not in expected]


def _order_problems(layout: Layout) -> list[str]:
    """What in the order and sizes of layers this project's network does not have."""
    problems = []
    if not layout.tower:
        problems.append(f"{len(layout.layers)} layers, none of a tower; needed one or more before dense ones")
    problems += [
        f"{layer.name} is {'' if layer.dense else 'not '}dense; needed all dense layers in one row"
        for layer in layout.layers[:-1]
        if layer.dense != (layer in layout.dilated)
    ]
    if layout.block.dense or layout.block.width != 1:
        what = "dense" if layout.block.dense else f"of width {layout.block.width}"
        problems.append(f"{layout.block.name}, the last, is {what}; needed width 1, not dense")
    sizes = {(layer.width, layer.filters) for layer in layout.dilated}
    if len(sizes) > 1 or any(width % 2 == 0 for width, _ in sizes):
        found = ", ".join(f"{layer.filters} of width {layer.width}" for layer in layout.dilated)
        problems.append(f"dense layers have {found} filters; needed as many in each, of one odd width")
    return problems
