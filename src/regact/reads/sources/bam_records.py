"""Raw BAM records to one row per place of a read, without a Python loop over reads."""

from collections.abc import Iterable, Iterator

import numpy as np
from jaxtyping import UInt8

from regact.errors import FormatError
from regact.reads.presets import CoverageSettings
from regact.reads.sources.record_bytes import FRAGMENT, MATES, READ1, hash_name, parse_bytes
from regact.reads.sources.rows import DAMAGED, ROW, Tally

_PAIR_USE = {"fragment": FRAGMENT, "read1": READ1, "mates": MATES}
# A row takes no fewer bytes of the file than an entry of an XA tag, `a,+1,1M,0;`.
_BYTES_PER_ROW = 10


def parse_records(
    chunks: Iterable[UInt8[np.ndarray, "byte"]],
    contigs: dict[str, int],
    settings: CoverageSettings,
    tally: Tally,
    *,
    where: object,
) -> Iterator[np.ndarray]:
    """Rows (dtype `ROW`) of all reads that are mapped, in the file's order, a chunk's at a time.

    Args:
        chunks: The uncompressed records, cut anywhere.
        contigs: Genome-wide offset of each contig of the file, in its order; -1 for contigs that do not count.
        settings: Which records are reads (`pairs`) and which reads are left out.
        tally: Counts what is in the file.
        where: Names the file in errors.

    Raises: FormatError where a record is damaged or the last one is cut off.
    """
    offsets = np.fromiter(contigs.values(), np.int64, len(contigs))
    hashes = np.array([hash_name(np.frombuffer(name.encode(), np.uint8)) for name in contigs], np.uint64)
    order = np.argsort(hashes)
    hashes = hashes[order]
    rule = np.array(
        [
            _PAIR_USE[settings.pairs],
            settings.min_mapq,
            settings.keep_duplicates,
            settings.min_fragment_bp,
            settings.max_fragment_bp,
        ],
        np.int64,
    )
    tail = np.zeros(0, np.uint8)
    buffer = np.empty(0, ROW)
    for chunk in chunks:
        data = np.concatenate([tail, chunk]) if len(tail) else chunk
        if len(buffer) < len(data) // _BYTES_PER_ROW + 1:
            buffer = np.empty(len(data) // _BYTES_PER_ROW + 1, ROW)
        rows, used = parse_bytes(data, offsets, hashes, order, rule, buffer, tally.counts)
        if damaged := tally.counts[DAMAGED]:
            raise FormatError(
                where, f"record {damaged:,} is damaged", "an undamaged BAM", "copy or make the file again"
            )
        yield buffer[:rows].copy()
        tail = data[used:].copy()
    if len(tail):
        raise FormatError(where, "its last record is cut off", "a whole file", "copy or make the file again")
