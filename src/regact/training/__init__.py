"""From a store and a model's spec to a run folder: settings, loop, optimizer, validation, and the state to resume from.

May import `dataset`, `model`, `losses`, `metrics` and what those may; knows nothing of comparisons between runs.
"""

from regact.training.config import TrainingConfig
from regact.training.device import choose_device, choose_readers, is_first_process, open_fabric
from regact.training.loop import train_model
from regact.training.run_folder import read_card
from regact.training.transfer import TransferConfig, check_transfer
from regact.training.validate import Validation, accuracy_table, validate, write_table

__all__ = [
    "TrainingConfig",
    "TransferConfig",
    "Validation",
    "accuracy_table",
    "check_transfer",
    "choose_device",
    "choose_readers",
    "is_first_process",
    "open_fabric",
    "read_card",
    "train_model",
    "validate",
    "write_table",
]
