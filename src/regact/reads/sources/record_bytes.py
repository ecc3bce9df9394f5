"""The bytes of BAM records, read by compiled loops (SAM specification 4.2).

A record's fields stand at fixed offsets, so that a compiled loop over the bytes reads them several times as fast as
objects can be made of them. All of it is in this file, for compiled functions call those of their own file only
(`compiled`).
"""

import numpy as np
from jaxtyping import Int64, UInt8, UInt64

from regact.reads.compiled import compiled
from regact.reads.sources.fates import (
    DUPLICATE,
    FAILED_QUALITY,
    FRAGMENT_LENGTH,
    LOW_MAPQ,
    NOT_PROPER_PAIR,
    OTHER_CONTIG,
)
from regact.reads.sources.rows import (
    ALONE,
    DAMAGED,
    EVIDENCE,
    OWN_LENGTH,
    PRIMARY,
    READ2,
    RECORDS,
    SECONDARY_RECORDS,
    SUPPLEMENTARY_RECORDS,
    TIED,
    UNMAPPED_READS,
)

# Bits of a record's FLAG.
_PAIRED, _PROPER, _UNMAPPED, _MATE_UNMAPPED, _REVERSE = 0x1, 0x2, 0x4, 0x8, 0x10
_SECOND_IN_PAIR, _SECONDARY, _FAILED, _DUPLICATE, _SUPPLEMENTARY = 0x80, 0x100, 0x200, 0x400, 0x800

# Bowtie2 gives at most 1, bwa 0 to what fits elsewhere as well; a mate whose pair fits in one place only has more.
TIED_MAPQ = 1

FRAGMENT, READ1, MATES = 0, 1, 2

_MIN_RECORD = 32
_NO_SCORE = -(2**31)
_FNV_START, _FNV_PRIME = np.uint64(14695981039346656037), np.uint64(1099511628211)


@compiled
def parse_bytes(
    data: UInt8[np.ndarray, "byte"],
    offsets: Int64[np.ndarray, "contig"],
    hashes: UInt64[np.ndarray, "contig"],
    order: Int64[np.ndarray, "contig"],
    rule: Int64[np.ndarray, "5"],
    rows: np.ndarray,
    tally: Int64[np.ndarray, "5"],
) -> tuple[int, int]:
    """Write the rows of all whole records in `data`; return how many, and the bytes of those records."""
    n_rows, at = 0, 0
    while at + 4 <= len(data):
        end = at + 4 + _int32(data, at)
        if end - at - 4 < _MIN_RECORD:
            tally[DAMAGED] = tally[RECORDS] + 1
            break
        if end > len(data):
            break
        tally[RECORDS] += 1
        if not _is_sound(data, at + 4, end, len(offsets)):
            tally[DAMAGED] = tally[RECORDS]
            break
        flag = _uint16(data, at + 18)
        if flag & _SUPPLEMENTARY:
            tally[SUPPLEMENTARY_RECORDS] += 1
        else:
            if flag & _SECONDARY:
                tally[SECONDARY_RECORDS] += 1
            n_rows = _add_read(data, at + 4, end, flag, offsets, hashes, order, rule, rows, n_rows, tally)
        at = end
    return n_rows, at


@compiled
def _is_sound(data: UInt8[np.ndarray, "byte"], at: int, end: int, n_contigs: int) -> bool:
    """Whether the record's lengths fit into it and its contig exists."""
    fixed = _MIN_RECORD + data[at + 8] + 4 * _uint16(data, at + 12)
    n_bases = _int32(data, at + 16)
    contig = _int32(data, at)
    return n_bases >= 0 and fixed + (n_bases + 1) // 2 + n_bases <= end - at and -1 <= contig < n_contigs


@compiled
def _add_read(
    data: UInt8[np.ndarray, "byte"],
    at: int,
    end: int,
    flag: int,
    offsets: Int64[np.ndarray, "contig"],
    hashes: UInt64[np.ndarray, "contig"],
    order: Int64[np.ndarray, "contig"],
    rule: Int64[np.ndarray, "5"],
    rows: np.ndarray,
    n_rows: int,
    tally: Int64[np.ndarray, "5"],
) -> int:
    """Add the rows of a record that stands for a read or its mate; return the new number of rows."""
    contig, position = _int32(data, at), _int32(data, at + 4)
    whole_pair = rule[0] == FRAGMENT and flag & _PAIRED
    is_evidence = rule[0] != MATES and flag & _PAIRED and flag & _SECOND_IN_PAIR
    lost = flag & _UNMAPPED or contig < 0 or position < 0
    is_alone = flag & _PAIRED and flag & _SECONDARY and not flag & _PROPER
    if is_evidence and (lost or not (is_alone or flag & _PROPER)):
        return n_rows
    if lost and not (whole_pair and not flag & _MATE_UNMAPPED):
        tally[UNMAPPED_READS] += not flag & _SECONDARY
        return n_rows
    key = hash_name(data[at + _MIN_RECORD : at + _MIN_RECORD + data[at + 8] - 1])
    cigar = at + _MIN_RECORD + data[at + 8]
    length = _reference_length(data, cigar, _uint16(data, at + 12))
    own = _int32(data, at + 28) if flag & _PAIRED and flag & _PROPER else 0
    n_bases = _int32(data, at + 16)
    tags = cigar + 4 * _uint16(data, at + 12) + (n_bases + 1) // 2 + n_bases
    places, differences, is_tied, xa, xa_end = _find_tags(data, tags, end)

    fate = _fate(flag, data[at + 9], whole_pair, lost, rule)
    kind = (0 if flag & _SECONDARY else PRIMARY) | (OWN_LENGTH if own else 0) | (READ2 if flag & _SECOND_IN_PAIR else 0)
    strand = -1 if flag & _REVERSE else 1
    if is_evidence:
        # The fragment's strand is read 1's.
        kind = kind & ~PRIMARY | EVIDENCE
    if is_alone:
        kind |= ALONE
    if is_tied and data[at + 9] <= TIED_MAPQ:
        kind |= TIED
    first = n_rows
    n_rows = _add_place(rows, n_rows, key, contig, position, length, own, strand, fate, kind, offsets, rule)
    rows[first].differences = differences
    kind &= ~PRIMARY
    in_pair = flag & _PAIRED and flag & _PROPER
    if in_pair:
        own, kind = 0, kind & ~OWN_LENGTH | ALONE
    while xa < xa_end:
        xa, contig, position, length, strand, differences = _next_xa(data, xa, xa_end, hashes, order)
        n_rows = _add_place(rows, n_rows, key, contig, position, length, own, strand, 0, kind, offsets, rule)
        rows[n_rows - 1].differences = differences
    if n_rows - first > 1 and not in_pair:
        places = max(places, n_rows - first)
    for row in range(first, n_rows):
        rows[row].places = places
    return n_rows


@compiled
def _fate(flag: int, mapq: int, whole_pair: int, lost: int, rule: Int64[np.ndarray, "5"]) -> int:
    """Why the record's read does not count; 0 where nothing speaks against it."""
    if flag & _DUPLICATE and not rule[2]:
        return DUPLICATE
    if flag & _FAILED:
        return FAILED_QUALITY
    if flag & _SECONDARY:
        return 0
    if whole_pair and (lost or not flag & _PROPER):
        return NOT_PROPER_PAIR
    if mapq < rule[1]:
        return LOW_MAPQ
    return 0


@compiled
def _add_place(
    rows: np.ndarray,
    n_rows: int,
    key: np.uint64,
    contig: int,
    position: int,
    length: int,
    own: int,
    strand: int,
    fate: int,
    kind: int,
    offsets: Int64[np.ndarray, "contig"],
    rule: Int64[np.ndarray, "5"],
) -> int:
    row = rows[n_rows]
    row.key, row.strand, row.kind = key, strand, kind
    row.start, row.length = -1, length
    if contig < 0 or offsets[contig] < 0:
        fate = fate or OTHER_CONTIG
    else:
        row.start = offsets[contig] + position
        if own:
            template_bp = abs(own)
            if rule[0] == FRAGMENT and not fate and (template_bp < rule[3] or template_bp > rule[4]):
                fate = FRAGMENT_LENGTH
            # A mate by itself begins at its 5' end. A fragment lies where its length's sign says: the same where mates
            # face each other, and right where a library's mates look apart or one way.
            is_leftwards = own < 0 if rule[0] == FRAGMENT else strand < 0
            if is_leftwards:
                row.start += length - template_bp
            # Where clipped bases count as part of the template it may begin before the contig.
            before = max(offsets[contig] - row.start, 0)
            row.start += before
            row.length = template_bp - before
    if kind & EVIDENCE:
        row.strand = -strand
    row.fate = fate
    return n_rows + 1


@compiled
def _reference_length(data: UInt8[np.ndarray, "byte"], at: int, operations: int) -> int:
    """Bases of the genome that a CIGAR spans: its M, D, N, = and X."""
    length = 0
    for _ in range(operations):
        operation = _int32(data, at)
        code = operation & 0xF
        if code == 0 or code == 2 or code == 3 or code == 7 or code == 8:
            length += (operation >> 4) & 0x0FFFFFFF
        at += 4
    return max(length, 1)


@compiled
def _find_tags(data: UInt8[np.ndarray, "byte"], at: int, end: int) -> tuple[int, int, bool, int, int]:
    """NH (0 without), NM (-1 without), whether XS >= AS, and from where to where XA:Z has its text (nowhere without).

    AS is the score of the alignment, XS that of the best other one (Bowtie2, bwa); other programs have a letter in XS.
    """
    places, differences, score, other_score, xa, xa_end = 0, -1, _NO_SCORE, _NO_SCORE, 0, 0
    while at + 3 < end:
        first, second, kind = data[at], data[at + 1], data[at + 2]
        at += 3
        if first == ord("N") and second == ord("H"):
            places = _integer(data, at, kind)
        elif first == ord("N") and second == ord("M"):
            differences = _integer(data, at, kind)
        elif first == ord("A") and second == ord("S"):
            score = _integer(data, at, kind)
        elif first == ord("X") and second == ord("S") and kind != ord("A") and kind != ord("Z"):
            other_score = _integer(data, at, kind)
        begin = at
        if kind == ord("Z") or kind == ord("H"):
            while at < end and data[at]:
                at += 1
            if first == ord("X") and second == ord("A"):
                xa, xa_end = begin, at
            at += 1
        elif kind == ord("B"):
            at += 5 + _width(data[at]) * _int32(data, at + 1)
        else:
            at += _width(kind)
    is_tied = places == 0 and score != _NO_SCORE and other_score >= score
    return places, differences, is_tied, xa, xa_end


@compiled
def _width(kind: int) -> int:
    """Bytes of a tag's value by its type letter."""
    if kind == ord("A") or kind == ord("c") or kind == ord("C"):
        return 1
    if kind == ord("s") or kind == ord("S"):
        return 2
    return 4


@compiled
def _integer(data: UInt8[np.ndarray, "byte"], at: int, kind: int) -> int:
    """Value of a tag of type c, C, s, S, i or I."""
    bits = 8 * _width(kind)
    if bits == 32:
        return _int32(data, at)
    value = np.int64(data[at]) if bits == 8 else np.int64(_uint16(data, at))
    is_signed = kind == ord("c") or kind == ord("s")
    return int(value - (value >> (bits - 1) << bits) if is_signed else value)


@compiled
def _next_xa(
    data: UInt8[np.ndarray, "byte"],
    at: int,
    end: int,
    hashes: UInt64[np.ndarray, "contig"],
    order: Int64[np.ndarray, "contig"],
) -> tuple[int, int, int, int, int, int]:
    """Read `contig,±position,CIGAR,NM;`: where the next begins, contig (-1 unknown), position, length, strand, NM."""
    begin = at
    while at < end and data[at] != ord(","):
        at += 1
    name = hash_name(data[begin:at])
    found = np.searchsorted(hashes, name)
    contig = order[found] if found < len(hashes) and hashes[found] == name else -1
    strand = -1 if at + 1 < end and data[at + 1] == ord("-") else 1
    at += 2
    position, length, number, differences = 0, 0, 0, 0
    while at < end and data[at] != ord(","):
        position = 10 * position + data[at] - ord("0")
        at += 1
    at += 1
    while at < end and data[at] != ord(","):
        if ord("0") <= data[at] <= ord("9"):
            number = 10 * number + data[at] - ord("0")
        else:
            if data[at] in (ord("M"), ord("D"), ord("N"), ord("="), ord("X")):
                length += number
            number = 0
        at += 1
    at += 1
    while at < end and data[at] != ord(";"):
        differences = 10 * differences + data[at] - ord("0")
        at += 1
    return at + 1, contig, position - 1, max(length, 1), strand, differences


@compiled
def hash_name(name: UInt8[np.ndarray, "byte"]) -> np.uint64:
    """FNV-1a: 64 bits tell the names of a billion reads apart but for one chance in forty."""
    value = _FNV_START
    for byte in name:
        value = (value ^ np.uint64(byte)) * _FNV_PRIME
    return value


@compiled
def _int32(data: UInt8[np.ndarray, "byte"], at: int) -> int:
    value = data[at] | data[at + 1] << 8 | data[at + 2] << 16 | np.int64(data[at + 3]) << 24
    return value - (value >> 31 << 32)


@compiled
def _uint16(data: UInt8[np.ndarray, "byte"], at: int) -> int:
    return int(data[at]) | int(data[at + 1]) << 8
