"""Which kind of signal a file is, told by its content: names lie."""

import gzip
import struct
from pathlib import Path

from regact.errors import FormatError
from regact.genome.bed_text import is_header, open_text
from regact.tracks.bedgraph import BedGraphSignal
from regact.tracks.bedgraph_rows import row_problem
from regact.tracks.bigwig import BigWigSignal
from regact.tracks.signals import Signal

NEEDED = "a bigWig or bedGraph(.gz) file"
BIGWIG_MAGIC = 0x888FFC26
HEADER_BYTES = 64
# First bytes of what people mistake for a signal file, and what to do about it.
OTHER_FORMATS = {
    struct.pack("<I", 0x8789F2EB): ("a bigBed file, whose intervals have no signal", "convert it to bedGraph"),
    struct.pack(">I", 0x8789F2EB): ("a bigBed file, whose intervals have no signal", "convert it to bedGraph"),
    b"\x89HDF": ("an HDF5 file (perhaps Basenji's w5 coverage)", "write it as bigWig"),
    b"BAM\x01": ("a BAM file: reads, not coverage", "make coverage of it first"),
    b"CRAM": ("a CRAM file: reads, not coverage", "make coverage of it first"),
    b"PK\x03\x04": ("a zip archive", "unpack it"),
    b"<!do": ("a web page", "download the file itself, not the page that shows it"),
    b"<htm": ("a web page", "download the file itself, not the page that shows it"),
    b"<?xm": ("an XML document, perhaps a server's error message", "download the file again"),
    b"vers": ("a Git LFS pointer", "fetch the file itself (git lfs pull)"),
    b"fixe": ("a wiggle file", "convert it to bigWig (wigToBigWig)"),
    b"vari": ("a wiggle file", "convert it to bigWig (wigToBigWig)"),
}


def open_signal(path: str | Path) -> Signal:
    """The signal that a bigWig or bedGraph(.gz) file holds.

    A bigWig's header is checked, and that the file is whole; of a bedGraph the first row.

    Raises: FormatError if the file is missing, unreadable, truncated, or of another format (named where it is known).
    """
    path = Path(path)
    try:
        with path.open("rb") as handle:
            head = handle.read(HEADER_BYTES)
        if head[:2] == b"\x1f\x8b":
            with gzip.open(path) as unpacked:
                head = unpacked.read(HEADER_BYTES)
            _refuse_packed_bigwig(path, head)
    except FileNotFoundError:
        raise FormatError(path, "no such file", NEEDED) from None
    except (OSError, EOFError) as error:
        raise FormatError(path, f"cannot be read ({error})", NEEDED) from error
    if not head:
        raise FormatError(path, "is empty", NEEDED, "copy or make it again")
    byte_order = _bigwig_byte_order(head)
    if byte_order is not None:
        _check_whole(path, head, byte_order)
        return BigWigSignal(path)
    found, remedy = OTHER_FORMATS.get(head[:4].lower() if head[:1] == b"<" else head[:4], ("", ""))
    if found:
        raise FormatError(path, f"is {found}", NEEDED, remedy)
    _check_first_row(path)
    return BedGraphSignal(path)


def _bigwig_byte_order(head: bytes) -> str | None:
    return next((order for order in "<>" if head[:4] == struct.pack(f"{order}I", BIGWIG_MAGIC)), None)


def _refuse_packed_bigwig(path: Path, head: bytes) -> None:
    if _bigwig_byte_order(head) is not None:
        raise FormatError(path, "is a bigWig packed with gzip", NEEDED, "unpack it: a bigWig is compressed inside")


def _check_whole(path: Path, head: bytes, byte_order: str) -> None:
    """Raise FormatError where a bigWig ends before its header says, or was never finished.

    Writers repeat the magic number as the last four bytes. Old ones did not: where it is missing, the places that the
    header names must lie inside the file, and all of its data is read once.
    """
    size = path.stat().st_size
    truncated = FormatError(path, f"is cut off after {size:,} bytes", "a whole bigWig file", "copy or make it again")
    if len(head) < HEADER_BYTES:
        raise truncated
    zooms, tree, data, index = struct.unpack(f"{byte_order}HQQQ", head[6:32])
    if index == 0:
        raise FormatError(path, "a bigWig without index: never finished, or made from no data", NEEDED, "make it again")
    with path.open("rb") as handle:
        handle.seek(HEADER_BYTES)
        levels = handle.read(zooms * 24)
        handle.seek(max(size - 4, 0))
        if handle.read(4) == head[:4]:
            return
    # A level is (reduction, reserved, data, index); offset 0 = unused.
    if len(levels) < zooms * 24:
        raise truncated
    places = [place for level in struct.iter_unpack(f"{byte_order}IIQQ", levels) for place in level[2:]]
    if max(tree, data, index, *places) >= size:
        raise truncated
    signal = BigWigSignal(path)
    for chrom, length in signal.lengths.items():
        signal.bin_sums(chrom, 0, length or 1, length or 1)
    signal.close()


def _check_first_row(path: Path) -> None:
    try:
        with open_text(path) as handle:
            for number, line in enumerate(handle, start=1):
                if is_header(line):
                    continue
                problem = row_problem(line)
                if problem is not None:
                    raise FormatError(f"{path}, line {number}", f"no bedGraph row: {problem}", NEEDED)
                return
    except UnicodeDecodeError:
        raise FormatError(path, "neither bigWig nor text", NEEDED) from None
    except (OSError, EOFError) as error:
        raise FormatError(path, f"cannot be read ({error})", NEEDED) from error
    raise FormatError(path, "holds no rows", NEEDED)
