"""One YAML file = data + model + training + comparison, checked as a whole; and from it the dataset and a run.

May import `dataset`, `model`, `training`, `pretrained` and what those may; knows nothing of pages.
"""

from regact.experiment.comparison_config import ComparedModel, ComparisonConfig
from regact.experiment.experiment import Experiment
from regact.experiment.load import load_experiment
from regact.experiment.store import make_store, open_or_build_store
from regact.experiment.train import train_experiment
from regact.experiment.tuning_config import Domain, TuningConfig
from regact.experiment.weights import import_missing_weights, import_weights

__all__ = [
    "ComparedModel",
    "ComparisonConfig",
    "Domain",
    "Experiment",
    "TuningConfig",
    "import_missing_weights",
    "import_weights",
    "load_experiment",
    "make_store",
    "open_or_build_store",
    "train_experiment",
]
