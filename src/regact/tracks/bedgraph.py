"""bedGraph files, plain or gzip, as signals."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64, Int64

from regact.errors import ContigError
from regact.genome import ContigAlias
from regact.tracks.bedgraph_rows import Steps, read_bedgraph
from regact.tracks.signals import Signal, count_bins


class BedGraphSignal(Signal):
    """A bedGraph file, held in memory as sorted rows (12 bytes each) from the first question on."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        self._steps: dict[str, Steps] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path,)

    @property
    def lengths(self) -> Mapping[str, int | None]:
        """The contigs that hold data; a bedGraph does not say how long they are."""
        return dict.fromkeys(self._read())

    def contig_names(self, genome_lengths: Mapping[str, int], alias: ContigAlias | None = None) -> dict[str, str]:
        """As `Signal.contig_names`; ContigError as well where data lies beyond a contig's end."""
        names = super().contig_names(genome_lengths, alias)
        for ours, theirs in names.items():
            end, length = int(self._read()[theirs].ends.max(initial=0)), genome_lengths[ours]
            if end > length:
                found, needed = f"data on {theirs} up to base {end:,}", f"at most the genome's {length:,} bp of {ours}"
                raise ContigError(self.path, found, needed, "use the file of the genome's own assembly")
        return names

    def bin_sums(self, chrom: str, start: int, end: int, bin_bp: int) -> Float64[np.ndarray, "bin"]:
        """As `Signal.bin_sums`."""
        bins, bases, values = self._pieces(chrom, start, end, bin_bp)
        return np.bincount(bins, weights=bases * values, minlength=count_bins(start, end, bin_bp))

    def bin_max(self, chrom: str, start: int, end: int, bin_bp: int) -> Float64[np.ndarray, "bin"]:
        """As `Signal.bin_max`."""
        bins, bases, values = self._pieces(chrom, start, end, bin_bp)
        count = count_bins(start, end, bin_bp)
        highest = np.full(count, -np.inf)
        np.maximum.at(highest, bins, values)
        partly_covered = np.bincount(bins, weights=bases, minlength=count) < bin_bp
        return np.where(partly_covered, np.maximum(highest, 0.0), highest)

    def base_values(self, chrom: str, start: int, end: int) -> Float32[np.ndarray, "base"]:
        """As `Signal.base_values`."""
        bins, _, values = self._pieces(chrom, start, end, 1)
        bases = np.full(end - start, np.nan, dtype=np.float32)
        bases[bins] = values
        return bases

    def close(self) -> None:
        """As `Signal.close`."""
        self._steps = None

    def _pieces(
        self, chrom: str, start: int, end: int, bin_bp: int
    ) -> tuple[Int64[np.ndarray, "piece"], Int64[np.ndarray, "piece"], Float64[np.ndarray, "piece"]]:
        """The rows in [start, end), cut at the bins' edges: bin, number of bases and value of each piece."""
        steps = self._read().get(chrom)
        if steps is None:
            raise ValueError(f"{self.path} has no contig {chrom!r}")
        count_bins(start, end, bin_bp)
        rows = slice(np.searchsorted(steps.ends, start, side="right"), np.searchsorted(steps.starts, end))
        starts = np.maximum(steps.starts[rows].astype(np.int64), start) - start
        ends = np.minimum(steps.ends[rows].astype(np.int64), end) - start
        first, last = starts // bin_bp, (ends - 1) // bin_bp
        pieces = last - first + 1
        row = np.repeat(np.arange(len(starts)), pieces)
        nth = np.arange(len(row)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        bins = first[row] + nth
        bases = np.minimum(ends[row], (bins + 1) * bin_bp) - np.maximum(starts[row], bins * bin_bp)
        return bins, bases, steps.values[rows].astype(np.float64)[row]

    def _read(self) -> dict[str, Steps]:
        if self._steps is None:
            self._steps = read_bedgraph(self.path)
        return self._steps
