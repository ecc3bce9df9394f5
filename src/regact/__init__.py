"""Predict regulatory activity from DNA sequence, and explain what was learned: the front door.

    import regact
    model = regact.load_model("runs/yeast")
    rate = regact.predict_codes(model, codes)      # uint8 codes (B, L) in, expected counts (B, tracks, bins) out

The names below are imported from their folders when they are first used: `import regact` is quick, and who only reads a
genome does not wait for torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what _HOMES says once more, for type checkers and editors; a test holds the two together
    from regact.dataset import Store, build_dataset, open_store
    from regact.errors import RegactError
    from regact.genome import Genome, Interval, load_genome, parse_region
    from regact.model import load_model, predict_codes
    from regact.report import write_report

__all__ = [
    "Genome",
    "Interval",
    "RegactError",
    "Store",
    "build_dataset",
    "load_genome",
    "load_model",
    "open_store",
    "parse_region",
    "predict_codes",
    "write_report",
]

_HOMES = {
    "Genome": "regact.genome",
    "Interval": "regact.genome",
    "RegactError": "regact.errors",
    "Store": "regact.dataset",
    "build_dataset": "regact.dataset",
    "load_genome": "regact.genome",
    "load_model": "regact.model",
    "open_store": "regact.dataset",
    "parse_region": "regact.genome",
    "predict_codes": "regact.model",
    "write_report": "regact.report",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'regact' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
