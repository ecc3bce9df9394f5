"""What the tables of the paper and of this project say of a model's context."""

from dataclasses import dataclass

from regact.model.spec import AttentionSpec, DilatedSpec, ModelSpec, PoolingSpec
from regact.model.stack.layer_spec import ConvSpec, RelativeAttentionSpec


@dataclass(frozen=True)
class ContextSummary:
    """Dilated layers, heads of each layer that sees all bins, and the distance functions of those layers.

    Attributes:
        dilated_layers: Convolutions with a dilation.
        attention_heads: Heads of each attention layer.
        pooling_heads: Heads of each layer that weights bins by their distance alone.
        distances: The different distance functions, in order; `relative` is attention with relative positions.
    """

    dilated_layers: int
    attention_heads: tuple[int, ...]
    pooling_heads: tuple[int, ...]
    distances: tuple[str, ...]


def summarize_context(spec: ModelSpec) -> ContextSummary:
    """Summarize the context of a model."""
    dilated = 0
    attention: list[int] = []
    pooling: list[int] = []
    distances: list[str] = []
    for layer in spec.context:
        if isinstance(layer, DilatedSpec):
            dilated += layer.layers
        elif isinstance(layer, AttentionSpec | PoolingSpec):
            (attention if isinstance(layer, AttentionSpec) else pooling).append(layer.heads)
            distances.append(layer.distance.kind)
        else:
            leaves = list(layer.leaves())
            dilated += sum(isinstance(leaf, ConvSpec) and leaf.dilation > 1 for leaf in leaves)
            relative = [leaf for leaf in leaves if isinstance(leaf, RelativeAttentionSpec)]
            attention += [leaf.heads for leaf in relative]
            distances += ["relative" if leaf.position_features else "none" for leaf in relative]
    return ContextSummary(dilated, tuple(attention), tuple(pooling), tuple(dict.fromkeys(distances)))
