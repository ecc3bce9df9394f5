"""A reference genome: its contigs, and the codes of any interval from a memory-mapped file."""

import difflib
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Int64, UInt8

from regact.errors import ContigError, FormatError
from regact.genome.code_file import CodeFile, find_code_file
from regact.genome.interval import Interval
from regact.genome.sequence import N_CODE

_ENDINGS = (".gz", ".bgz", ".fasta", ".fna", ".fas", ".fa")


class Genome:
    """The contigs of a FASTA file and their bases; made by `load_genome`.

    Pickled it is its paths only; each process maps the code file when it first asks for bases.

    Attributes:
        name: The file's name without its endings.
        path: The FASTA file.
        checksum: sha256 (hex) over names, codes and lengths in file order; case, line width and compression of the
            FASTA do not change it.
        lengths: Bases of each contig, in file order.
        descriptions: What follows the name in each contig's header.
    """

    def __init__(self, code_file: CodeFile) -> None:
        self._code_file = code_file
        self.path = code_file.fasta
        self.name = _stem(code_file.fasta)
        self.checksum = code_file.checksum
        self.lengths = code_file.lengths
        self.descriptions = code_file.descriptions

    def __reduce__(self) -> tuple[type["Genome"], tuple[CodeFile]]:
        return Genome, (self._code_file,)

    def __repr__(self) -> str:
        return f"Genome({self.name}: {len(self.lengths)} contigs, {self.total_bp:,} bp)"

    @property
    def total_bp(self) -> int:
        """Bases of all contigs."""
        return sum(self.lengths.values())

    def fetch(self, interval: Interval) -> UInt8[np.ndarray, " position"]:
        """Codes of the interval's bases; positions beyond either end of the contig are N. A new array.

        Raises: ContigError where the genome has no such contig.
        """
        contig = self.contig(interval.chrom)
        start, end = (min(max(place, 0), contig.size) for place in (interval.start, interval.end))
        if (start, end) == (interval.start, interval.end):
            return np.array(contig[start:end])
        codes = np.full(interval.length, N_CODE, np.uint8)
        if start < end:
            codes[start - interval.start : end - interval.start] = contig[start:end]
        return codes

    def contig(self, chrom: str) -> UInt8[np.ndarray, " position"]:
        """All codes of a contig, mapped read-only: only what is looked at is read from the disk.

        Raises: ContigError where the genome has no such contig.
        """
        number = self._number(chrom)
        return self._codes[self._offsets[number] : self._offsets[number + 1]]

    def release(self) -> None:
        """Give back the memory of what was read so far, for those who go through much of a genome.

        Mapped pages count as this process's memory until the system wants them back; read again, they come from the
        system's cache.
        """
        if hasattr(mmap, "MADV_DONTNEED"):  # not on Windows
            self._mapping.madvise(mmap.MADV_DONTNEED)

    def n_runs(self, chrom: str) -> Int64[np.ndarray, "run 2"]:
        """Start and end of every stretch of N (or of IUPAC's ambiguity letters) in a contig, sorted.

        Raises: ContigError where the genome has no such contig.
        """
        first, last = np.searchsorted(self._runs[:, 0], [self._number(chrom), self._number(chrom) + 1])
        return np.array(self._runs[first:last, 1:])

    def _number(self, chrom: str) -> int:
        try:
            return self._numbers[chrom]
        except KeyError:
            near = difflib.get_close_matches(chrom, self.lengths, n=3, cutoff=0.4) or list(self.lengths)[:3]
            raise ContigError(self.path, f"no contig '{chrom}'", f"one of its own, such as {', '.join(near)}") from None

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.lengths)}

    @cached_property
    def _offsets(self) -> Int64[np.ndarray, " contig+1"]:
        return np.cumsum([0, *self.lengths.values()], dtype=np.int64)

    @cached_property
    def _mapping(self) -> mmap.mmap:
        with self._expect_code_file(), self._code_file.codes.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    @cached_property
    def _codes(self) -> UInt8[np.ndarray, " position"]:
        return np.frombuffer(self._mapping, np.uint8)

    @cached_property
    def _runs(self) -> Int64[np.ndarray, "run 3"]:
        with self._expect_code_file():
            return np.load(self._code_file.n_runs)

    @contextmanager
    def _expect_code_file(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            found = f"its code file {error.filename} is gone, as after a change of the FASTA"
            raise FormatError(self.path, found, "", "run again") from error


def load_genome(fasta: Path | str, *, cache_dir: Path | str | None = None) -> Genome:
    """The genome in a FASTA file (plain, gzip or bgzip).

    The first call reads the whole file once and keeps its codes in `FASTA.regact` beside it, or in the cache folder
    (`XDG_CACHE_HOME/regact`) where that place is read-only; it is made again when the FASTA changes.

    Args:
        cache_dir: Keep the codes in this folder instead.

    Raises: FormatError where the file is missing, empty, truncated or no nucleotide FASTA.
    """
    return Genome(find_code_file(Path(fasta), None if cache_dir is None else Path(cache_dir)))


def _stem(fasta: Path) -> str:
    name = fasta.name
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    return name or fasta.name
