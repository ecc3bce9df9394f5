"""BAM files as a stream of raw records; CRAM and SAM are turned into one first."""

import errno
import gzip
import os
import re
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pysam
from jaxtyping import UInt8
from pysam.utils import SamtoolsError

from regact.engine import disk_full_as_error, is_gzip
from regact.errors import FormatError
from regact.genome.plain_fasta import plain_fasta
from regact.reads.sources.file_ends import check_bgzf_end, check_cram_end

_CHUNK_BYTES = 2**23
# All but qualities, which nobody here reads. Bases are needed: CRAM works out NM, the differences, from them.
_CRAM_FIELDS = "required_fields=0xbff"
_REMEDY = "copy or make the file again"
_NO_ROOM_BYTES = 2**16
_ALIGNERS_WITH_K = ("bowtie2", "hisat2")


OnRead = Callable[[float], None]


@dataclass(frozen=True)
class BamHeader:
    """What a header says.

    Attributes:
        lengths: Bases of each contig, in the file's order.
        grouped: The header promises that records of one read stand together.
        programs: Name and version of the programs that made the file.
        place_limit: Places of a read that the aligner gave at most; None where its command does not say.
    """

    lengths: Mapping[str, int]
    grouped: bool
    programs: tuple[str, ...]
    place_limit: int | None = None


class BamFile:
    """An open BAM: its header, and its records as raw bytes; made by `open_bam`."""

    def __init__(self, path: Path, bam: Path, stream: pysam.BGZFile, header: BamHeader) -> None:
        self.path = path
        self.header = header
        self._stream = stream
        # CRAM and SAM are read as a BAM of another size.
        self._scale = path.stat().st_size / bam.stat().st_size

    def chunks(self, on_read: OnRead = lambda _: None) -> Iterator[UInt8[np.ndarray, "byte"]]:
        """The uncompressed records, some megabytes at a time; a record may go on in the next chunk.

        Args:
            on_read: Told how many bytes of the file were read since last.

        Raises: FormatError where the file is damaged.
        """
        _skip_header(self._stream)
        last = 0.0
        while True:
            try:
                chunk = self._stream.read(_CHUNK_BYTES)
            except (OSError, ValueError) as error:
                raise FormatError(
                    self.path, f"cannot be read to its end ({error})", "an undamaged BAM", _REMEDY
                ) from error
            if not chunk:
                return
            yield np.frombuffer(chunk, np.uint8)
            # A place in BGZF is that of its block in the file, 48 bits, and 16 bits of a place in the block.
            position = (self._stream.tell() >> 16) * self._scale
            on_read(position - last)
            last = position


def read_bam_header(path: Path | str) -> BamHeader:
    """The header of a BAM, CRAM or SAM file; of a BAM also whether its end is there.

    Raises: FormatError where the file is missing, truncated, of another format, or without contigs.
    """
    path = Path(path)
    kind = _kind(path)
    if kind == "CRAM":
        check_cram_end(path)
    else:
        check_bgzf_end(path)
    try:
        with quiet_htslib(), pysam.AlignmentFile(str(path), check_sq=False) as file:
            header = _parse_header(file.header.to_dict())
    except UnicodeDecodeError as error:
        found = f"text in its header that is not UTF-8 ({error})"
        raise FormatError(
            path, found, "UTF-8, as the SAM specification says", "mend it with samtools reheader"
        ) from error
    except (OSError, ValueError) as error:
        raise FormatError(path, f"cannot be opened as {kind} ({error})", "a BAM or CRAM file", _REMEDY) from error
    if not header.lengths:
        raise FormatError(path, "no contig in its header", "@SQ lines", "align the reads to a genome first")
    return header


@contextmanager
def open_bam(path: Path | str, *, reference: Path | str | None = None) -> Iterator[BamFile]:
    """A BAM, CRAM or SAM file as a stream of BAM records.

    Args:
        reference: FASTA that a CRAM was made with (plain, gzip or bgzip); used for CRAM only.

    Raises:
        FormatError: The file is missing, truncated, of another format, or a CRAM that cannot be decoded.
        DiskSpaceError: The folder for temporary files is too small for what CRAM or SAM is turned into.
    """
    path = Path(path)
    header = read_bam_header(path)
    with ExitStack() as stack:
        stack.enter_context(quiet_htslib())
        bam, kind = path, _kind(path)
        if kind != "BAM":
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="regact-")))
            with disk_full_as_error(folder):
                bam = _convert(path, kind, folder, None if reference is None else Path(reference))
        stream = pysam.BGZFile(str(bam), "r", None)
        stack.callback(_close, stream)
        yield BamFile(path, bam, stream, header)


@contextmanager
def quiet_htslib() -> Iterator[None]:
    """Keep htslib from writing to stderr: what matters of it comes as an exception."""
    verbosity = pysam.set_verbosity(0)
    try:
        yield
    finally:
        pysam.set_verbosity(verbosity)


def is_cram(path: Path) -> bool:
    """Whether the file is a CRAM, by its first bytes; not one that cannot be read."""
    try:
        return _kind(path) == "CRAM"
    except FormatError:
        return False


def _close(stream: pysam.BGZFile) -> None:
    """Close a stream; a damaged one says once more that it is."""
    with suppress(OSError):
        stream.close()


def _kind(path: Path) -> str:
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise FormatError(path, f"cannot be read ({error.strerror})", "a BAM or CRAM file") from error
    if start == b"CRAM":
        return "CRAM"
    if is_gzip(path):
        return "SAM" if _unpacked_start(path) == b"@" else "BAM"
    if start[:1] == b"@":
        return "SAM"
    found = "an empty file" if not start else "neither BAM, CRAM nor SAM"
    raise FormatError(path, found, "a BAM or CRAM file")


def _unpacked_start(path: Path) -> bytes:
    """First byte of a gzip file's content; nothing of a damaged one, which whoever reads it tells."""
    with suppress(OSError, EOFError, zlib.error), gzip.open(path) as file:
        return file.read(1)
    return b""


def _convert(path: Path, kind: str, folder: Path, reference: Path | None) -> Path:
    """`path` as BAM in `folder`, fast rather than small."""
    bam = folder / "converted.bam"
    options = ["--bam", "--fast", "--no-PG", "--output", str(bam)]
    if kind == "CRAM":
        options += ["--input-fmt-option", _CRAM_FIELDS]
        if reference is not None:
            options += ["--reference", str(plain_fasta(reference, folder))]
    try:
        pysam.view(*options, str(path), catch_stdout=False)
    except SamtoolsError as error:
        if shutil.disk_usage(folder).free < _NO_ROOM_BYTES:  # samtools does not say so
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        words = str(error).partition("stderr=")[2].replace("\\n", " ").strip("' ")
        found = f"cannot be decoded ({words})"
        if kind == "CRAM":
            needed = (
                f"the FASTA that it was made with, not {reference}" if reference else "the FASTA that it was made with"
            )
            raise FormatError(path, found, needed, "name it with --reference") from error
        raise FormatError(path, found, "an undamaged SAM file", _REMEDY) from error
    return bam


def _parse_header(header: Mapping[str, object]) -> BamHeader:
    first = header.get("HD", {})
    said = first if isinstance(first, Mapping) else {}
    contigs, programs = (rows if isinstance(rows := header.get(kind, []), list) else [] for kind in ("SQ", "PG"))
    return BamHeader(
        {row["SN"]: int(row["LN"]) for row in contigs},
        said.get("SO") != "coordinate" and (said.get("GO") == "query" or said.get("SO") == "queryname"),
        tuple(f"{row.get('PN', row.get('ID'))} {row.get('VN', '')}".strip() for row in programs),
        next((limit for row in programs if (limit := _place_limit(row)) is not None), None),
    )


def _place_limit(program: Mapping[str, str]) -> int | None:
    """The N of `-k N` in the command line of Bowtie2 or HISAT2."""
    if program.get("PN", program.get("ID", "")) not in _ALIGNERS_WITH_K:
        return None
    found = re.search(r"\s-k\s*(\d+)", program.get("CL", ""))
    return int(found[1]) if found else None


def _skip_header(stream: pysam.BGZFile) -> None:
    """Move `stream` from the start of a BAM to its first record (SAM specification 4.2)."""

    def number() -> int:
        return int.from_bytes(stream.read(4), "little")

    stream.seek(0)
    stream.read(4)  # magic, which pysam has checked
    stream.read(number())
    for _ in range(number()):
        stream.read(number() + 4)
