"""Basenji's public data as stores: TFRecord directories of Basenji, Basenji2 and Borzoi, and the HDF5 of 2018.

May import `dataset` itself, and what that may; needs no TensorFlow.
"""

from regact.dataset.basenji.config import BasenjiH5Source, BasenjiSource, Source, StorageSettings
from regact.dataset.basenji.importer import import_basenji, import_basenji_h5, import_dataset
from regact.dataset.basenji.samples import read_sample_sheet

__all__ = [
    "BasenjiH5Source",
    "BasenjiSource",
    "Source",
    "StorageSettings",
    "import_basenji",
    "import_basenji_h5",
    "import_dataset",
    "read_sample_sheet",
]
