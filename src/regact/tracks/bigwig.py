"""bigWig files as signals, read through pybigtools."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import pybigtools
from jaxtyping import Float32, Float64

from regact.errors import FormatError
from regact.genome import Interval
from regact.tracks.signals import Signal, check_finite, count_bins

_READ_ERRORS = (OSError, ValueError, pybigtools.BBIReadError)


class BigWigSignal(Signal):
    """A bigWig file; sums are made from the values themselves, never from the file's zoom levels."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        self._file: IO[bytes] | None = None
        self._reader: Any = None
        self._reader_pid = 0
        self._lengths: dict[str, int] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path,)

    def __del__(self) -> None:
        self.close()

    @property
    def lengths(self) -> Mapping[str, int | None]:
        """As `Signal.lengths`."""
        self._open()
        return dict(self._lengths)

    def bin_sums(self, chrom: str, start: int, end: int, bin_bp: int) -> Float64[np.ndarray, "bin"]:
        """As `Signal.bin_sums`."""
        return self._binned("sum", chrom, start, end, bin_bp)

    def bin_max(self, chrom: str, start: int, end: int, bin_bp: int) -> Float64[np.ndarray, "bin"]:
        """As `Signal.bin_max`."""
        return self._binned("max", chrom, start, end, bin_bp)

    def base_values(self, chrom: str, start: int, end: int) -> Float32[np.ndarray, "base"]:
        """As `Signal.base_values`."""
        self._length(chrom)
        values = self._values(chrom, start, end, oob=np.nan)
        check_finite(values, self.path, chrom, start)
        return values.astype(np.float32)

    def close(self) -> None:
        """As `Signal.close`."""
        self._reader = None
        if self._file is not None:
            self._file.close()
            self._file = None

    def _binned(self, summary: str, chrom: str, start: int, end: int, bin_bp: int) -> Float64[np.ndarray, "bin"]:
        bins = count_bins(start, end, bin_bp)
        # Traps of pybigtools, answered base by base. A bin that straddles an end of the contig gets the fill value, its
        # data lost. A value stored as NaN makes its bin's sum NaN (fillna=0 would lose the real values beside it) and
        # is passed over in a maximum, where it should count as 0: that shows below 0 only.
        if start >= 0 and end <= self._length(chrom):
            binned = self._values(chrom, start, end, bins=bins, summary=summary, exact=True, uncovered=0.0)
            # One sum finds inf and NaN; infinite values are named by the reading per base.
            if np.isfinite(binned.sum()) and (summary == "sum" or binned.min() >= 0):
                return binned
        bases = np.nan_to_num(self.base_values(chrom, start, end).astype(np.float64), nan=0.0).reshape(bins, bin_bp)
        return bases.sum(axis=1) if summary == "sum" else bases.max(axis=1)

    def _values(self, chrom: str, start: int, end: int, **options: Any) -> Float64[np.ndarray, "value"]:
        reader = self._open()
        try:
            values = reader.values(chrom, start, end, fillna=None, **options)
        except BaseException as error:
            # A damaged block ends in a Rust panic, which pyo3 derives from BaseException.
            if isinstance(error, _READ_ERRORS) or type(error).__name__ == "PanicException":
                raise _unreadable(self.path, f"cannot be read at {Interval(chrom, start, end)}") from error
            raise
        return np.asarray(values, dtype=np.float64)

    def _length(self, chrom: str) -> int:
        self._open()
        if chrom not in self._lengths:
            raise ValueError(f"{self.path} has no contig {chrom!r}")
        return self._lengths[chrom]

    def _open(self) -> Any:
        # A forked process must not share its parent's handle: both would move one position in the file.
        if self._reader is None or self._reader_pid != os.getpid():
            self.close()
            try:
                # Given a path, pybigtools goes by the name's ending; given a file, by the content, as fast.
                self._file = self.path.open("rb", buffering=0)
                self._reader = pybigtools.open(self._file)
                self._lengths = dict(self._reader.chroms())
            except _READ_ERRORS as error:
                self.close()
                raise _unreadable(self.path, "cannot be opened as bigWig") from error
            self._reader_pid = os.getpid()
        return self._reader


def _unreadable(path: Path, found: str) -> FormatError:
    return FormatError(path, found, "an undamaged bigWig file", "copy or make the file again")
