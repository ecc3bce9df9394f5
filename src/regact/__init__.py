"""Predict regulatory activity from DNA sequence, and explain what was learned: the front door.

    import regact
    model = regact.load_model("runs/yeast")
    rate = regact.predict_codes(model, codes)      # uint8 codes (B, L) in, expected counts (B, tracks, bins) out

The names below are imported from their folders when they are first used: `import regact` is quick, and who only reads a
genome does not wait for torch. That takes code, here alone of all `__init__` files.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what _HOMES says once more, for type checkers and editors; a test holds the two together
    from regact.comparison import compare
    from regact.dataset import Store, build_dataset, open_store
    from regact.dataset.audit import audit_dataset
    from regact.dataset.basenji import import_basenji, import_basenji_h5
    from regact.errors import RegactError
    from regact.evaluation import evaluate
    from regact.experiment import load_experiment
    from regact.experiment import train_experiment as train
    from regact.genome import Genome, Interval, load_genome, parse_region
    from regact.model import load_model, predict_codes
    from regact.planning import plan_experiment as plan
    from regact.pretrained import export_weights, from_pretrained, import_basenji_2018, import_keras, push_to_hub
    from regact.reads import align_reads as align
    from regact.reads import cover_sample as coverage
    from regact.reads import cover_samples, read_sample_sheet
    from regact.report import write_report
    from regact.simulation import simulate
    from regact.tuning import tune

__all__ = [
    "Genome",
    "Interval",
    "RegactError",
    "Store",
    "align",
    "audit_dataset",
    "build_dataset",
    "compare",
    "cover_samples",
    "coverage",
    "evaluate",
    "export_weights",
    "from_pretrained",
    "import_basenji",
    "import_basenji_2018",
    "import_basenji_h5",
    "import_keras",
    "load_experiment",
    "load_genome",
    "load_model",
    "open_store",
    "parse_region",
    "plan",
    "predict_codes",
    "push_to_hub",
    "read_sample_sheet",
    "simulate",
    "train",
    "tune",
    "write_report",
]

# public name -> (module, name there)
_HOMES = {
    "Genome": ("regact.genome", "Genome"),
    "Interval": ("regact.genome", "Interval"),
    "RegactError": ("regact.errors", "RegactError"),
    "Store": ("regact.dataset", "Store"),
    "align": ("regact.reads", "align_reads"),
    "audit_dataset": ("regact.dataset.audit", "audit_dataset"),
    "build_dataset": ("regact.dataset", "build_dataset"),
    "compare": ("regact.comparison", "compare"),
    "cover_samples": ("regact.reads", "cover_samples"),
    "coverage": ("regact.reads", "cover_sample"),
    "evaluate": ("regact.evaluation", "evaluate"),
    "export_weights": ("regact.pretrained", "export_weights"),
    "from_pretrained": ("regact.pretrained", "from_pretrained"),
    "import_basenji": ("regact.dataset.basenji", "import_basenji"),
    "import_basenji_2018": ("regact.pretrained", "import_basenji_2018"),
    "import_basenji_h5": ("regact.dataset.basenji", "import_basenji_h5"),
    "import_keras": ("regact.pretrained", "import_keras"),
    "load_experiment": ("regact.experiment", "load_experiment"),
    "load_genome": ("regact.genome", "load_genome"),
    "load_model": ("regact.model", "load_model"),
    "open_store": ("regact.dataset", "open_store"),
    "parse_region": ("regact.genome", "parse_region"),
    "plan": ("regact.planning", "plan_experiment"),
    "predict_codes": ("regact.model", "predict_codes"),
    "read_sample_sheet": ("regact.reads", "read_sample_sheet"),
    "push_to_hub": ("regact.pretrained", "push_to_hub"),
    "simulate": ("regact.simulation", "simulate"),
    "train": ("regact.experiment", "train_experiment"),
    "tune": ("regact.tuning", "tune"),
    "write_report": ("regact.report", "write_report"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'regact' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return __all__
