"""Writing a store: the group with its window table and mask first, targets in any order, the header last.

A store counts as whole once its header holds a fingerprint, which `finish_store` writes in one step.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import numcodecs
import numpy as np
import pandas as pd
import zarr
from jaxtyping import Bool, Float16
from zarr.codecs import BloscCodec, ZstdCodec

from regact.dataset.config import DatasetConfig
from regact.dataset.schema import ATTRIBUTES_KEY, CHUNK_NAMES, StoreHeader, array_specs, digest, target_chunk


def create_store(
    folder: Path, header: StoreHeader, windows: pd.DataFrame, mask: Bool[np.ndarray, "window bin"]
) -> None:
    """Lay out a store in `folder`: all arrays, with window table and mask filled, targets to be written.

    `windows` has the columns of `Store.windows`. Run again over an unfinished store it changes nothing of the targets.
    """
    group = zarr.open_group(folder, mode="a", zarr_format=3)
    specs = array_specs(len(windows), header.config.n_bins, len(header.tracks))
    for name, spec in specs.items():
        if name in group:
            continue
        group.create_array(
            name,
            shape=spec.shape,
            dtype=spec.dtype,
            chunks=spec.chunks,
            compressors=_compressor(header.config) if name == "targets" else ZstdCodec(level=3),
            fill_value=False if spec.dtype == "bool" else 0,
            chunk_key_encoding=CHUNK_NAMES if name == "targets" else None,
        )
    for name, column in window_columns(header, windows).items():
        write_array(group, f"window_{name}", column)
    write_array(group, "mask", mask)
    _write_copies(folder, header, windows)


def write_array(group: zarr.Group, name: str, values: np.ndarray) -> None:
    """Fill the array `name` of a store."""
    array = group[name]
    if not isinstance(array, zarr.Array):
        raise TypeError(f"{name} is a group, not an array")
    array[:] = values


def write_targets(
    folder: Path, first_row: int, targets: Float16[np.ndarray, "window bin track"], config: DatasetConfig
) -> None:
    """Write the targets of consecutive windows; each window is a file of its own, so that processes do not meet.

    The files are what Zarr itself would write (little-endian values, compressed), but made in a third of the time.
    """
    encode = _encoder(config)
    for row, values in enumerate(targets, start=first_row):
        chunk = target_chunk(folder, row)
        temporary = chunk.with_name(f"{chunk.name}.partial")
        temporary.write_bytes(encode(np.ascontiguousarray(values, dtype="<f2")))
        temporary.replace(chunk)


def finish_store(
    folder: Path,
    header: StoreHeader,
    windows: pd.DataFrame,
    mask: Bool[np.ndarray, "window bin"],
    *,
    values_sha256: str,
    statistics: Mapping[str, np.ndarray],
) -> StoreHeader:
    """Write track statistics (mean, variance, max, clipped) and, last, the header with its fingerprint."""
    group = zarr.open_group(folder, mode="r+")
    for name, values in statistics.items():
        write_array(group, f"track_{name}", values)
    whole = header.model_copy(
        update={
            "windows_sha256": digest(*window_columns(header, windows).values()),
            "mask_sha256": digest(mask),
            "values_sha256": values_sha256,
        }
    )
    whole = whole.model_copy(update={"fingerprint": whole.compute_fingerprint()})
    group.attrs[ATTRIBUTES_KEY] = whole.model_dump(mode="json")
    return whole


def window_columns(header: StoreHeader, windows: pd.DataFrame) -> dict[str, np.ndarray]:
    """The window table as the store keeps it: chromosome and fold as numbers into the header's lists."""
    chromosomes = pd.Index(list(header.genome.lengths))
    return {
        "chrom": chromosomes.get_indexer(pd.Index(windows["chrom"])).astype(np.int32),
        "start": windows["start"].to_numpy(np.int64),
        "fold": pd.Index(header.folds).get_indexer(pd.Index(windows["fold"])).astype(np.int32),
        "contig": windows["contig"].to_numpy(np.int32),
    }


def _compressor(config: DatasetConfig) -> ZstdCodec | BloscCodec:
    """The codec of targets as Zarr's metadata names it."""
    if config.codec == "zstd":
        return ZstdCodec(level=config.compression_level)
    return BloscCodec(cname=_blosc(config), clevel=config.compression_level, shuffle="bitshuffle", typesize=2)


def _encoder(config: DatasetConfig) -> Callable[[np.ndarray], bytes]:
    """The same codec as a function."""
    if config.codec == "zstd":
        return numcodecs.Zstd(level=config.compression_level).encode
    return numcodecs.Blosc(
        cname=_blosc(config), clevel=config.compression_level, shuffle=numcodecs.Blosc.BITSHUFFLE
    ).encode


def _blosc(config: DatasetConfig) -> Literal["zstd", "lz4"]:
    return "zstd" if config.codec == "blosc_zstd" else "lz4"


def _write_copies(folder: Path, header: StoreHeader, windows: pd.DataFrame) -> None:
    """Window table and track sheet as text, to look at; nothing reads them."""
    columns = ["chrom", "start", "end", "split", "fold", "contig"]
    text = windows[columns].to_csv(sep="\t", header=False, index=False, lineterminator="\n")
    (folder / "windows.bed").write_bytes(text.encode())  # pandas leaves its handle open where the disk is full
    header.sheet().write(folder / "targets.txt")
