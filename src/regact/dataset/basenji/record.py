"""From the features of a Basenji record to a window: every coding of bases and values that such data were written in.

`sequence` is one index a base (0 to 3, 4 for N), which `seq_1hot: true` stands for, or in older data four bytes a base.
`target` is float16 bytes, or in data of 2018 a list of floats, bins by tracks. `umap`, where it is there, holds a bool
for each bin: unmappable.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float16, UInt8

from regact.dataset.basenji.example import Feature, read_example
from regact.dataset.basenji.window import SourceWindow, as_float16, codes_of_one_hot
from regact.errors import FormatError
from regact.genome import N_CODE


@dataclass(frozen=True)
class RecordShape:
    """What every record of a data set holds."""

    window_bp: int
    n_bins: int
    n_tracks: int


def read_window(record: bytes, shape: RecordShape, where: str) -> SourceWindow:
    """The window in a record.

    Raises: FormatError naming `where`, what was found and what `shape` needs.
    """
    try:
        features = read_example(record)
        codes = _codes(_feature(features, "sequence"), shape)
        targets, rounded = _targets(_feature(features, "target"), shape)
        unmappable = _unmappable(features["umap"], shape) if "umap" in features else None
    except ValueError as error:
        found, _, needed = str(error).partition("; needed ")
        raise FormatError(where, found, needed or "a record as Basenji writes it") from None
    return SourceWindow(where, codes, targets, unmappable, rounded)


def _feature(features: dict[str, Feature], name: str) -> Feature:
    if name not in features:
        raise ValueError(f"features {', '.join(features) or 'none'}; needed sequence and target")
    return features[name]


def _codes(feature: Feature, shape: RecordShape) -> UInt8[np.ndarray, " position"]:
    values = _as_bytes(feature, "sequence")
    if values.size == 4 * shape.window_bp:
        return codes_of_one_hot(values.reshape(-1, 4))
    if values.size != shape.window_bp:
        raise ValueError(f"a sequence of {values.size:,} bytes; needed {shape.window_bp:,}, or four for each base")
    if int(values.max()) > N_CODE:
        raise ValueError(f"a base coded {int(values.max())}; needed 0 to {N_CODE}")
    return values


def _targets(feature: Feature, shape: RecordShape) -> tuple[Float16[np.ndarray, "bin track"], int]:
    """The values, and how many of them were rounded."""
    if isinstance(feature, memoryview):
        _check_targets(len(feature) / 2, shape)
        values, rounded = np.frombuffer(feature, "<f2"), 0
    else:
        _check_targets(feature.size, shape)
        values, changed = as_float16(feature)
        rounded = int(np.count_nonzero(changed))
    return values.reshape(shape.n_bins, shape.n_tracks), rounded


def _check_targets(n_values: float, shape: RecordShape) -> None:
    needed = shape.n_bins * shape.n_tracks
    if n_values != needed:
        tracks = n_values / shape.n_bins
        found = f"targets of {tracks:,.0f} tracks" if tracks == int(tracks) else f"{n_values:,} target values"
        raise ValueError(
            f"{found}; needed {shape.n_tracks:,} tracks (rows of targets.txt) x {shape.n_bins:,} bins = {needed:,}"
        )


def _unmappable(feature: Feature, shape: RecordShape) -> Bool[np.ndarray, " bin"]:
    values = _as_bytes(feature, "umap")
    if values.size != shape.n_bins or int(values.max()) > 1:
        raise ValueError(f"umap of {values.size:,} bytes; needed 0 or 1 for each of {shape.n_bins:,} bins")
    return values.astype(bool)


def _as_bytes(feature: Feature, name: str) -> UInt8[np.ndarray, " byte"]:
    if not isinstance(feature, memoryview):
        raise ValueError(f"feature {name} is a list of floats; needed bytes")
    return np.frombuffer(feature, np.uint8)
