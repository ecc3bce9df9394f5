"""BAM files as a stream of raw records; CRAM and SAM are turned into one first."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pysam
from jaxtyping import UInt8
from pysam.utils import SamtoolsError

from regact.errors import FormatError
from regact.reads.plain_fasta import plain_fasta

# The empty block that ends every BGZF file (SAM specification 4.1.2): without it the file was cut off.
_BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_CHUNK_BYTES = 2**23
# Names, places, CIGAR, mates and tags: all but bases and qualities, which nobody here reads.
_CRAM_FIELDS = "required_fields=0x9ff"
_REMEDY = "copy or make the file again"


@dataclass(frozen=True)
class BamHeader:
    """What a header says.

    Attributes:
        lengths: Bases of each contig, in the file's order.
        grouped: The header promises that records of one read stand together.
        programs: Name and version of the programs that made the file.
    """

    lengths: Mapping[str, int]
    grouped: bool
    programs: tuple[str, ...]


class BamFile:
    """An open BAM: its header, and its records as raw bytes; made by `open_bam`."""

    def __init__(self, path: Path, stream: pysam.BGZFile, header: BamHeader) -> None:
        self.path = path
        self.header = header
        self._stream = stream

    def chunks(self) -> Iterator[UInt8[np.ndarray, "byte"]]:
        """The uncompressed records, some megabytes at a time; a record may go on in the next chunk.

        Raises: FormatError where the file is damaged.
        """
        _skip_header(self._stream)
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


@contextmanager
def open_bam(path: Path | str, *, reference: Path | str | None = None) -> Iterator[BamFile]:
    """A BAM, CRAM or SAM file as a stream of BAM records.

    Args:
        reference: FASTA that a CRAM was made with (plain, gzip or bgzip); used for CRAM only.

    Raises: FormatError where the file is missing, truncated, of another format, or a CRAM that cannot be decoded.
    """
    path = Path(path)
    with ExitStack() as stack:
        kind = _kind(path)
        bam = path
        if kind != "BAM":
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="regact-")))
            bam = _convert(path, kind, folder, None if reference is None else Path(reference))
        _check_end(bam, path)
        try:
            with pysam.AlignmentFile(str(bam), "rb", check_sq=False) as file:
                header = _read_header(file.header.to_dict())
            stream = pysam.BGZFile(str(bam), "r", None)
        except (OSError, ValueError) as error:
            raise FormatError(path, f"cannot be opened as BAM ({error})", "a BAM or CRAM file", _REMEDY) from error
        stack.callback(stream.close)
        if not header.lengths:
            raise FormatError(path, "no contig in its header", "@SQ lines", "align the reads to a genome first")
        yield BamFile(path, stream, header)


def _kind(path: Path) -> str:
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise FormatError(path, f"cannot be read ({error.strerror})", "a BAM or CRAM file") from error
    if start == b"CRAM":
        return "CRAM"
    if start[:2] == b"\x1f\x8b":
        return "BAM"
    if start[:1] == b"@":
        return "SAM"
    found = "an empty file" if not start else "neither BAM, CRAM nor SAM"
    raise FormatError(path, found, "a BAM or CRAM file")


def _check_end(bam: Path, path: Path) -> None:
    with bam.open("rb") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - len(_BGZF_END)))
        if file.read() != _BGZF_END:
            raise FormatError(path, "truncated (the block that ends a BAM is missing)", "a whole file", _REMEDY)


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
        found = f"cannot be decoded ({' '.join(str(error).split())})"
        if kind == "CRAM":
            needed = (
                f"the FASTA that it was made with, not {reference}" if reference else "the FASTA that it was made with"
            )
            raise FormatError(path, found, needed, "name it with --reference") from error
        raise FormatError(path, found, "an undamaged SAM file", _REMEDY) from error
    return bam


def _read_header(header: Mapping[str, object]) -> BamHeader:
    first = header.get("HD", {})
    said = first if isinstance(first, Mapping) else {}
    contigs = header.get("SQ", [])
    programs = header.get("PG", [])
    return BamHeader(
        {row["SN"]: int(row["LN"]) for row in contigs} if isinstance(contigs, list) else {},
        said.get("GO") == "query" or said.get("SO") == "queryname",
        tuple(f"{row.get('PN', row.get('ID'))} {row.get('VN', '')}".strip() for row in programs)
        if isinstance(programs, list)
        else (),
    )


def _skip_header(stream: pysam.BGZFile) -> None:
    """Move `stream` from the start of a BAM to its first record (SAM specification 4.2)."""

    def number() -> int:
        return int.from_bytes(stream.read(4), "little")

    stream.seek(0)
    stream.read(4)  # magic, which pysam has checked
    stream.read(number())
    for _ in range(number()):
        stream.read(number() + 4)
