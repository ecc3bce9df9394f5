"""What every signal file answers: sums, maxima and base values of a stretch of a contig."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32, Float64

from regact.errors import DataError
from regact.genome import ContigAlias, Interval, match_contigs


class Signal(ABC):
    """A function of position that a file holds; bases without data have none (NaN), as those beyond a contig's ends.

    Contigs go by the *file's* names. No data counts as 0 in sums and maxima; infinite values are errors. A signal opens
    its file at the first question, anew in each process, so that it can be sent to worker processes.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    @property
    @abstractmethod
    def lengths(self) -> Mapping[str, int | None]:
        """Contig lengths by the file's names; None where the file does not say (bedGraph)."""

    @abstractmethod
    def bin_sums(self, chrom: str, start: int, end: int, bin_bp: int) -> Float64[np.ndarray, "bin"]:
        """Exact sum of the bases of each bin; `end - start` must be a multiple of `bin_bp`.

        Raises: FormatError if the file cannot be read; DataError naming the place of an infinite value; ValueError for
            a contig that the file lacks.
        """

    @abstractmethod
    def bin_max(self, chrom: str, start: int, end: int, bin_bp: int) -> Float64[np.ndarray, "bin"]:
        """Maximum of the bases of each bin, no data being 0; otherwise as `bin_sums`."""

    @abstractmethod
    def base_values(self, chrom: str, start: int, end: int) -> Float32[np.ndarray, "base"]:
        """The value of each base, NaN where the file has no data; errors as `bin_sums`."""

    @abstractmethod
    def close(self) -> None:
        """Give back the file handle or the memory; the next question opens the file again."""

    def contig_names(self, genome_lengths: Mapping[str, int], alias: ContigAlias | None = None) -> dict[str, str]:
        """The file's name of each of the genome's contigs that it has; to be asked before any work.

        Raises: ContigError where names or lengths do not fit the genome's (a track of another assembly).
        """
        return match_contigs(genome_lengths, self.lengths, where=self.path, alias=alias)


def count_bins(start: int, end: int, bin_bp: int) -> int:
    """How many bins of `bin_bp` lie in [start, end).

    Raises: ValueError unless there is a whole number of them, one at least.
    """
    bins, rest = divmod(end - start, bin_bp)
    if rest or bins < 1:
        raise ValueError(f"{start}-{end} does not hold a whole number of bins of {bin_bp} bp")
    return bins


def check_finite(bases: Float[np.ndarray, "base"], path: Path, chrom: str, start: int) -> None:
    """Raise DataError naming the first infinite value's place; `bases` start at `start`."""
    infinite = np.flatnonzero(np.isinf(bases))
    if infinite.size:
        first = start + int(infinite[0])
        raise DataError(
            f"{path}, {Interval(chrom, first, first + 1)}",
            f"the signal is {bases[infinite[0]]}",
            "finite values",
            "make the file again from its reads, or clip it",
        )
