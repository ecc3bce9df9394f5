"""From a store and a model's spec to a run folder: settings, loop, optimizer, validation, and the state to resume from.

May import `dataset`, `model`, `losses`, `metrics` and what those may; knows nothing of comparisons between runs.
"""

from regact.train.config import TrainingConfig
from regact.train.device import choose_device, open_fabric
from regact.train.loop import train_model
from regact.train.run_folder import read_card
from regact.train.validate import Validation, accuracy_table, validate, write_table

__all__ = [
    "TrainingConfig",
    "Validation",
    "accuracy_table",
    "choose_device",
    "open_fabric",
    "read_card",
    "train_model",
    "validate",
    "write_table",
]
