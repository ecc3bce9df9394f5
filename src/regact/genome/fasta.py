"""FASTA read once, as a stream: plain, gzip or bgzip, in a few tens of megabytes of memory whatever its size."""

import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from jaxtyping import Int64, UInt8

from regact.errors import FormatError
from regact.genome.sequence import AMBIGUOUS, CODE_OF_BYTE, INVALID_CODE, N_CODE

BLOCK_BYTES = 1 << 23
_LONGEST_HEADER = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"
_BGZIP_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")  # SAM specification 4.1.2
_BLANKS = b"\n\r\t "
_AMINO_ACIDS = frozenset("EFILPQZXJO*")  # letters of proteins that are no IUPAC base
_NEEDED_TEXT = "a FASTA file (>name, then bases), plain, gzip or bgzip"


@dataclass(frozen=True, slots=True)
class FastaContig:
    """One sequence of a FASTA file.

    `description` is what follows the name in its header; `n_runs` (k, 2) holds start and end of each stretch of N.
    """

    name: str
    description: str
    length: int
    n_runs: Int64[np.ndarray, "run 2"]


@dataclass(frozen=True, slots=True)
class FastaContents:
    """What a FASTA file holds, beside its codes."""

    contigs: tuple[FastaContig, ...]
    checksum: str  # sha256 (hex) over each contig's name, codes and length, in file order


def read_fasta(
    path: Path,
    codes_out: BinaryIO,
    *,
    on_read: Callable[[int], None] = lambda _: None,
    block_bytes: int = BLOCK_BYTES,
) -> FastaContents:
    """Write the codes of all contigs of a FASTA file to `codes_out`, one after the other, and say what they are.

    A name is the header's first word. Case, line width and compression make no difference to codes and checksum.

    Args:
        on_read: Called now and then with the number of bytes of the file read since the last call.
        block_bytes: How much text is looked at at once; it changes speed and memory, not the result.

    Raises: FormatError where the file is missing, empty, truncated or no nucleotide FASTA.
    """
    writer = _ContigWriter(path, codes_out)
    line = 1  # of the block's first byte
    for block, starts_line in _blocks(path, on_read, block_bytes):
        _read_block(writer, block, line, starts_line)
        line += block.count(b"\n")
    return writer.finish()


def _read_block(writer: "_ContigWriter", block: bytes, line: int, starts_line: bool) -> None:
    """Hand headers and stretches of sequence of a block, which ends in no header, to the writer."""
    place = 0
    header = 0 if starts_line and block.startswith(b">") else block.find(b"\n>") + 1 or -1
    while header >= 0:
        writer.add_sequence(block[place:header], line)
        line += block.count(b"\n", place, header)
        place = block.find(b"\n", header) + 1 or len(block)
        writer.start_contig(block[header + 1 : place], line)
        line += 1
        header = place if block.startswith(b">", place) else block.find(b"\n>", place) + 1 or -1
    writer.add_sequence(block[place:], line)


def _blocks(path: Path, on_read: Callable[[int], None], block_bytes: int) -> Iterator[tuple[bytes, bool]]:
    """Stretches of the file's text that end in no unfinished header, and whether each starts a line."""
    held, starts_line = b"", True
    for chunk in _text_chunks(path, on_read, block_bytes):
        text = held + chunk
        last_line = text.rfind(b"\n") + 1
        unfinished = (last_line > 0 or starts_line) and text.startswith(b">", last_line)
        cut = last_line if unfinished else len(text)
        block, held = text[:cut], text[cut:]
        if len(held) > max(_LONGEST_HEADER, block_bytes):
            raise FormatError(path, "a header line without an end", "lines that end in LF or CRLF")
        if block:
            yield block, starts_line
            starts_line = block.endswith(b"\n")
    if held:
        yield held, starts_line


def _text_chunks(path: Path, on_read: Callable[[int], None], block_bytes: int) -> Iterator[bytes]:
    try:
        with path.open("rb") as raw:
            magic = raw.read(len(_GZIP_MAGIC))
            if not magic:
                raise FormatError(path, "the file is empty", _NEEDED_TEXT)
            raw.seek(0)
            compressed = magic == _GZIP_MAGIC
            if compressed:
                _check_bgzip_end(path, raw)
            stream = gzip.GzipFile(fileobj=raw) if compressed else raw
            before = 0
            while chunk := stream.read(block_bytes):
                yield chunk
                on_read(raw.tell() - before)
                before = raw.tell()
    except FileNotFoundError as error:
        raise FormatError(path, "no such file", _NEEDED_TEXT) from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        remedy = "copy or download the file again"
        raise FormatError(path, f"truncated or damaged gzip ({error})", "a whole file", remedy) from error


def _check_bgzip_end(path: Path, raw: BinaryIO) -> None:
    """A bgzip file cut between two of its blocks reads without any error; only its missing last block tells."""
    start = raw.read(18)
    is_bgzip = len(start) == 18 and start[3] & 4 and start[12:14] == b"BC"
    if is_bgzip:
        raw.seek(-min(len(_BGZIP_END), path.stat().st_size), 2)
        if raw.read() != _BGZIP_END:
            remedy = "copy or download the file again, or compress it with bgzip again"
            raise FormatError(path, "truncated: bgzip's end-of-file block is missing", "a whole file", remedy)
    raw.seek(0)


class _ContigWriter:
    """Takes headers and sequence in file order; checks, encodes, writes and sums them up."""

    def __init__(self, path: Path, codes_out: BinaryIO) -> None:
        self._path, self._out = path, codes_out
        self._digest = hashlib.sha256()
        self._contigs: list[FastaContig] = []
        self._name: str | None = None
        self._description, self._length = "", 0
        self._line_of_name: dict[str, int] = {}
        self._runs: list[Int64[np.ndarray, "run 2"]] = []

    def start_contig(self, header: bytes, line: int) -> None:
        self._finish_contig()
        name, _, description = header.decode("utf-8", "replace").strip().partition(" ")
        name, _, tabbed = name.partition("\t")
        where = f"{self._path} line {line}"
        if not name:
            raise FormatError(where, "a header without a name", ">name")
        if name in self._line_of_name:
            found = f"contig {name} a second time (first in line {self._line_of_name[name]})"
            raise FormatError(where, found, "each name once", "rename or remove one of them")
        self._line_of_name[name] = line
        self._name, self._description = name, f"{tabbed} {description}".strip()
        self._length, self._runs = 0, []
        self._digest.update(f">{name}\n".encode())

    def add_sequence(self, text: bytes, line: int) -> None:
        letters = text.translate(CODE_OF_BYTE, _BLANKS)
        if not letters:
            return
        if self._name is None:
            raise FormatError(f"{self._path} line {line}", f"{_show(text)} before the first header", _NEEDED_TEXT)
        codes = np.frombuffer(letters, np.uint8)
        if int(codes.max()) == INVALID_CODE:
            self._refuse_letter(text, line)
        self._out.write(letters)
        self._digest.update(letters)
        self._runs.append(find_n_runs(codes) + self._length)
        self._length += len(letters)

    def finish(self) -> FastaContents:
        self._finish_contig()
        if not self._contigs:
            raise FormatError(self._path, "no sequence in it", _NEEDED_TEXT)
        return FastaContents(tuple(self._contigs), self._digest.hexdigest())

    def _finish_contig(self) -> None:
        if self._name is None:
            return
        if self._length == 0:
            where = f"{self._path} line {self._line_of_name[self._name]}"
            raise FormatError(where, f"contig {self._name} has no bases", "a sequence after each header")
        self._digest.update(f"\n{self._length}\n".encode())
        runs = join_runs(self._runs)
        self._contigs.append(FastaContig(self._name, self._description, self._length, runs))
        self._name = None

    def _refuse_letter(self, text: bytes, line: int) -> None:
        codes = np.frombuffer(text.translate(CODE_OF_BYTE), np.uint8)
        blank = np.isin(np.frombuffer(text, np.uint8), np.frombuffer(_BLANKS, np.uint8))
        place = int(np.flatnonzero((codes == INVALID_CODE) & ~blank)[0])
        letter = text[place : place + 1].decode("ascii", "replace")
        line += text.count(b"\n", 0, place)
        remedy = "this looks like a protein FASTA" if letter.upper() in _AMINO_ACIDS else ""
        needed = f"bases ACGTN or IUPAC's {AMBIGUOUS[:-1]}"
        raise FormatError(f"{self._path} line {line}, contig {self._name}", f"character {letter!r}", needed, remedy)


def _show(text: bytes) -> str:
    return repr(text.strip().split(b"\n", 1)[0][:20].decode("ascii", "replace"))


def find_n_runs(codes: UInt8[np.ndarray, " position"]) -> Int64[np.ndarray, "run 2"]:
    """Start and end of each stretch of N."""
    unknown = codes == N_CODE
    if not unknown.any():
        return np.empty((0, 2), np.int64)
    steps = np.flatnonzero(unknown[1:] != unknown[:-1]) + 1
    edges = np.concatenate(([0] if unknown[0] else [], steps, [codes.size] if unknown[-1] else []))
    return edges.astype(np.int64).reshape(-1, 2)


def join_runs(parts: list[Int64[np.ndarray, "run 2"]]) -> Int64[np.ndarray, "run 2"]:
    """All runs of a contig, those that a block's end had cut in two made whole."""
    runs = np.concatenate([np.empty((0, 2), np.int64), *parts])
    touches = runs[1:, 0] == runs[:-1, 1]
    starts = runs[np.concatenate(([True], ~touches))[: len(runs)], 0]
    ends = runs[np.concatenate((~touches, [True]))[: len(runs)], 1]
    return np.stack([starts, ends], axis=1)
