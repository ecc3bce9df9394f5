"""FASTQ looked through before an aligner spends hours on it: whole, sound, and pairs in step."""

import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

import numpy as np
from jaxtyping import UInt8, UInt64

from regact.engine import progress, unpacked
from regact.errors import DataError, FormatError
from regact.reads.compiled import compiled

Hashes = Iterator[UInt64[np.ndarray, "record"]]

_CHUNK_BYTES = 2**23
_LEAST_RECORD_BYTES = 6  # "@", "", "+", "" and their ends of lines, the last of which may be missing
_FNV_START, _FNV_PRIME = np.uint64(14695981039346656037), np.uint64(1099511628211)


def check_fastq(paths: Sequence[Path]) -> int:
    """Number of records of one FASTQ file, or of pairs of two; plain or gzip.

    Raises:
        FormatError: Missing, truncated, damaged, or not of four lines a record; with the number of the record.
        DataError: No record at all, or pairs out of step: names differ, or one file has more records.
    """
    total = sum(path.stat().st_size for path in paths if path.exists())
    records = 0
    with progress("Checking " + " and ".join(path.name for path in paths), total, unit="bytes") as bar:
        streams = [_name_hashes(path, bar.advance) for path in paths]
        if len(streams) == 1:
            records = sum(len(hashes) for hashes in streams[0])
        else:
            records = _compare(paths, streams[0], streams[1])
    if not records:
        raise DataError(paths[0], "no read in it", "FASTQ records")
    return records


def _compare(
    paths: Sequence[Path],
    stream1: Iterator[UInt64[np.ndarray, "record"]],
    stream2: Iterator[UInt64[np.ndarray, "record"]],
) -> int:
    """Number of records of two files in step."""
    rest1 = rest2 = np.empty(0, np.uint64)
    records = 0
    for more1, more2 in zip_longest(stream1, stream2, fillvalue=np.empty(0, np.uint64)):
        rest1, rest2 = np.concatenate([rest1, more1]), np.concatenate([rest2, more2])
        both = min(len(rest1), len(rest2))
        differing = np.flatnonzero(rest1[:both] != rest2[:both])
        if len(differing):
            found = f"record {records + int(differing[0]) + 1:,} has another name than in {paths[1]}"
            remedy = (
                "sort both files, or take them as they were; a mate's number at the end of names must be /1 or /2, "
                "not .1 or .2 as `fastq-dump -I` writes it"
            )
            raise DataError(paths[0], found, "pairs in the same order", remedy)
        records += both
        rest1, rest2 = rest1[both:], rest2[both:]
    if len(rest1) or len(rest2):
        longer, shorter = (paths[0], paths[1]) if len(rest1) else (paths[1], paths[0])
        found = f"{records:,} records, {len(rest1) + len(rest2):,} fewer than {longer}"
        raise DataError(shorter, found, "a mate for every read", "take both files whole, as they came")
    return records


def _name_hashes(path: Path, on_read: Callable[[int], None]) -> Hashes:
    """Hashes of the records' names, some megabytes of text at a time."""
    tail, records = b"", 0
    for chunk in _text(path, on_read):
        data = np.frombuffer(tail + chunk, np.uint8)
        hashes = np.empty(len(data) // _LEAST_RECORD_BYTES + 1, np.uint64)
        found, used, is_sound = _hash_names(data, hashes)
        records += found
        if not is_sound:
            raise _no_record(path, records + 1)
        yield hashes[:found]
        tail = data[used:].tobytes()
    if tail.strip():
        raise _no_record(path, records + 1)


def _text(path: Path, on_read: Callable[[int], None]) -> Iterator[bytes]:
    """The file's text, its last line with an end."""
    last, read = b"", 0
    try:
        with path.open("rb") as raw:
            file = unpacked(raw)
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk
                last = chunk[-1:]
                position = raw.tell()
                on_read(position - read)
                read = position
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FormatError(path, f"cannot be read to its end ({error})", "a whole file", "copy it again") from error
    except FileNotFoundError as error:
        raise FormatError(path, "no such file", "FASTQ, plain or gzip") from error
    if last not in (b"", b"\n"):
        yield b"\n"


def _no_record(path: Path, number: int) -> FormatError:
    found = f"record {number:,} is cut off or no FASTQ"
    return FormatError(path, found, "four lines a record, as many qualities as bases", "see that the file is whole")


@compiled
def _hash_names(data: UInt8[np.ndarray, "byte"], hashes: UInt64[np.ndarray, "record"]) -> tuple[int, int, bool]:
    """Write the hash of every whole record's name; return how many, their bytes, and whether all are sound."""
    records, at = 0, 0
    while at < len(data):
        ends = np.empty(4, np.int64)
        lines, position = 0, at
        while position < len(data) and lines < 4:
            if data[position] == ord("\n"):
                ends[lines] = position
                lines += 1
            position += 1
        # Looked at as soon as they are there: text that is no FASTQ need not have four lines.
        if lines > 0 and data[at] != ord("@"):
            return records, at, False
        if lines < 4:
            break
        if data[ends[1] + 1] != ord("+") or ends[3] - ends[2] != ends[1] - ends[0]:
            return records, at, False
        hashes[records] = _name_hash(data[at + 1 : ends[0]])
        records += 1
        at = ends[3] + 1
    return records, at, True


@compiled
def _name_hash(line: UInt8[np.ndarray, "byte"]) -> np.uint64:
    """FNV-1a of a name: up to white space, without the mate's number (`/1`, `/2`)."""
    end = 0
    while end < len(line) and line[end] > 32:
        end += 1
    if end > 2 and line[end - 2] == ord("/") and (line[end - 1] == ord("1") or line[end - 1] == ord("2")):
        end -= 2
    value = _FNV_START
    for byte in line[:end]:
        value = (value ^ np.uint64(byte)) * _FNV_PRIME
    return value
