"""What lets bins see each other: dilated convolutions, attention, plain pooling by distance; no context is no layer.

Every layer maps (batch, channel, bin) to more channels of as many bins, its input first. Imports torch and
`regact.model.conv_block` only.
"""

from regact.model.context.attention import Attention
from regact.model.context.dilated import DilatedStack
from regact.model.context.distance import (
    ConstantDecay,
    DistanceFunction,
    LearnedDecay,
    NoDistance,
    TwoSidedDecay,
    over_bins,
)
from regact.model.context.pooling import DistancePooling

__all__ = [
    "Attention",
    "ConstantDecay",
    "DilatedStack",
    "DistanceFunction",
    "DistancePooling",
    "LearnedDecay",
    "NoDistance",
    "TwoSidedDecay",
    "over_bins",
]
