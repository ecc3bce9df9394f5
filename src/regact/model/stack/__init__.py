"""Networks as stacks of plain layers: what other people's models (Basenji2, Borzoi) are made of.

A `StackSpec` lists blocks, a block lists layers, and each layer is one operation with its sizes: from that JSON the
network is built again without running anybody's code. Its parts take the places of tower, context and head in a
`SequenceModel`. Imports what the rest of `model` imports.
"""

from regact.model.stack.layer_spec import (
    ActivationName,
    ActivationSpec,
    BatchNormSpec,
    ConcatenateSpec,
    ConvSpec,
    DenseSpec,
    DropoutSpec,
    LayerNormSpec,
    LayerSpec,
    MaxPoolSpec,
    RelativeAttentionSpec,
    ResidualSpec,
    ScaleSpec,
    SeparableConvSpec,
    UNetSpec,
)
from regact.model.stack.spec import StackBlockSpec, StackHeadSpec, StackSpec

__all__ = [
    "ActivationName",
    "ActivationSpec",
    "BatchNormSpec",
    "ConcatenateSpec",
    "ConvSpec",
    "DenseSpec",
    "DropoutSpec",
    "LayerNormSpec",
    "LayerSpec",
    "MaxPoolSpec",
    "RelativeAttentionSpec",
    "ResidualSpec",
    "ScaleSpec",
    "SeparableConvSpec",
    "StackBlockSpec",
    "StackHeadSpec",
    "StackSpec",
    "UNetSpec",
]
