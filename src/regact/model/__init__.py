"""The networks: tower, context, head, and the paper's presets of them (docs/paper.md has the equations).

A `ModelConfig` (what a user writes) becomes a `ModelSpec` (plain numbers), which `build_model` turns into a
`SequenceModel`; receptive field and cost are computed from the spec alone. Imports `regact.errors` and
`regact.shapes` only, takes plain tensors, and reads no file but its own weights.
"""

from regact.model.build import build_model
from regact.model.checkpoint import load_model, save_model
from regact.model.config import ModelConfig
from regact.model.context_summary import ContextSummary, summarize_context
from regact.model.cost import Cost, Layer, count
from regact.model.one_hot import one_hot
from regact.model.prediction import predict_codes
from regact.model.presets import PRESETS, model_spec, preset_spec
from regact.model.receptive_field import reach_bins, reach_bp, receptive_field_bp
from regact.model.sequence_model import SequenceModel
from regact.model.spec import ModelSpec
from regact.model.weights_file import load_spec, weights_checksum

__all__ = [
    "PRESETS",
    "ContextSummary",
    "Cost",
    "Layer",
    "ModelConfig",
    "ModelSpec",
    "SequenceModel",
    "build_model",
    "count",
    "load_model",
    "load_spec",
    "model_spec",
    "one_hot",
    "predict_codes",
    "preset_spec",
    "reach_bins",
    "reach_bp",
    "receptive_field_bp",
    "save_model",
    "summarize_context",
    "weights_checksum",
]
