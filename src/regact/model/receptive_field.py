"""How many bases one output bin can depend on, computed from the spec."""

from typing import assert_never

from regact.model.spec import AttentionSpec, DilatedSpec, ModelSpec, PoolingSpec
from regact.model.stack.cost import field
from regact.model.stack.spec import StackSpec


def tower_field_bp(spec: ModelSpec) -> tuple[int, int]:
    """Bases beyond a bin's own, to its left and to its right, that the tower reads for it."""
    if isinstance(spec.tower, StackSpec):
        seen = field(spec.tower.layers, 1)
        return (spec.window_bp, spec.window_bp) if seen is None else seen[:2]
    left = right = 0
    stride = 1
    for width, pool in zip(spec.tower.widths, spec.tower.pools, strict=True):
        left += (width - 1) // 2 * stride  # "same" padding: the extra base of an even width is on the right
        right += width // 2 * stride
        stride *= pool
    return left, right


def reach_bins(spec: ModelSpec) -> int | None:
    """Bins to either side that the context shows to a bin: 0 without context, None for the whole window."""
    reach = reach_bp(spec)
    return None if reach is None else -(-reach // spec.bin_bp)


def reach_bp(spec: ModelSpec) -> int | None:
    """What the context shows to a bin in bases to either side: 32,512 for `basenji`. None for the whole window."""
    reach, stride = 0, spec.tower.bin_bp
    for layer in spec.context:
        if isinstance(layer, DilatedSpec):
            reach += sum(layer.width // 2 * 2 ** (i + 1) for i in range(layer.layers)) * stride
            continue
        if isinstance(layer, PoolingSpec | AttentionSpec):
            return None
        if not isinstance(layer, StackSpec):
            assert_never(layer)
        seen = field(layer.layers, stride)
        if seen is None:
            return None
        left, right, stride = seen
        reach += max(left, right)
    return reach


def receptive_field_bp(spec: ModelSpec) -> int:
    """Bases of input that can change an output bin in the middle of the window, at most the window."""
    left, right = tower_field_bp(spec)
    reach = reach_bp(spec)
    return spec.window_bp if reach is None else min(spec.window_bp, left + right + spec.bin_bp + 2 * reach)
