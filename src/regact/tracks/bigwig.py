"""bigWig files as signals, read through pybigtools."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pybigtools
from jaxtyping import Float32, Float64

from regact.errors import FormatError
from regact.genome import Interval
from regact.tracks.signals import Signal, check_finite, count_bins


class BigWigSignal(Signal):
    """A bigWig file; sums are made from the values themselves, never from the file's zoom levels."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        self._reader: Any = None
        self._reader_pid = 0

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "_reader": None, "_reader_pid": 0}

    @property
    def lengths(self) -> Mapping[str, int | None]:
        """As `Signal.lengths`."""
        return dict(self._open().chroms())

    def bin_sums(self, chrom: str, start: int, end: int, bin_bp: int) -> Float64[np.ndarray, "bin"]:
        """As `Signal.bin_sums`."""
        return self._binned("sum", chrom, start, end, bin_bp)

    def bin_max(self, chrom: str, start: int, end: int, bin_bp: int) -> Float64[np.ndarray, "bin"]:
        """As `Signal.bin_max`."""
        return self._binned("max", chrom, start, end, bin_bp)

    def base_values(self, chrom: str, start: int, end: int) -> Float32[np.ndarray, "base"]:
        """As `Signal.base_values`."""
        values = self._values(chrom, start, end, uncovered=None, oob=np.nan)
        check_finite(values, self.path, chrom, start, 1)
        return values.astype(np.float32)

    def close(self) -> None:
        """As `Signal.close`."""
        self._reader = None

    def _binned(self, summary: str, chrom: str, start: int, end: int, bin_bp: int) -> Float64[np.ndarray, "bin"]:
        bins = count_bins(start, end, bin_bp)
        # uncovered=0 and no fillna leave NaN exactly where the file stores NaN as a value (or inf beside -inf);
        # fillna=0 would make such a bin's whole sum 0, real values included.
        binned = self._values(chrom, start, end, bins=bins, summary=summary, exact=True, uncovered=0.0, oob=0.0)
        if np.isnan(binned).any():
            bases = np.nan_to_num(self.base_values(chrom, start, end).astype(np.float64), nan=0.0)
            rows = bases.reshape(bins, bin_bp)
            return rows.sum(axis=1) if summary == "sum" else rows.max(axis=1)
        check_finite(binned, self.path, chrom, start, bin_bp)
        return binned

    def _values(self, chrom: str, start: int, end: int, **options: Any) -> Float64[np.ndarray, "value"]:
        reader = self._open()
        try:
            values = reader.values(chrom, start, end, fillna=None, **options)
        except KeyError:
            raise ValueError(f"{self.path} has no contig {chrom!r}") from None
        except BaseException as error:
            # A damaged block ends in a Rust panic, which pyo3 derives from BaseException.
            if isinstance(error, Exception) or type(error).__name__ == "PanicException":
                raise _unreadable(self.path, f"cannot be read at {Interval(chrom, start, end)}") from error
            raise
        return np.asarray(values, dtype=np.float64)

    def _open(self) -> Any:
        # A forked process must not share its parent's handle: both would move one position in the file.
        if self._reader is None or self._reader_pid != os.getpid():
            try:
                self._reader = pybigtools.open(str(self.path))
            except (OSError, pybigtools.BBIReadError) as error:
                raise _unreadable(self.path, "cannot be opened as bigWig") from error
            self._reader_pid = os.getpid()
        return self._reader


def _unreadable(path: Path, found: str) -> FormatError:
    return FormatError(path, found, "an undamaged bigWig file", "copy or make the file again")
