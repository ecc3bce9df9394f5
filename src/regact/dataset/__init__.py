"""From genome and tracks to training examples: windows, splits, masks, the store, its build, and the loader.

May import `genome`, `engine`, `plot` and `tracks`; knows nothing of models. What needs torch (`batch`, `augment`,
`loader`) is imported from its own file, so that the processes of a build start without it.
"""

from regact.dataset.build import build_dataset
from regact.dataset.config import (
    SPLITS,
    DatasetConfig,
    SplitAsImported,
    SplitByChromosomes,
    SplitByFolds,
    SplitByFraction,
    SplitByRegions,
    Strides,
)
from regact.dataset.store import Store, open_store

__all__ = [
    "SPLITS",
    "DatasetConfig",
    "SplitAsImported",
    "SplitByChromosomes",
    "SplitByFolds",
    "SplitByFraction",
    "SplitByRegions",
    "Store",
    "Strides",
    "build_dataset",
    "open_store",
]
