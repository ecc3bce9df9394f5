"""How much memory samples take, and how many of them may be made beside each other."""

from collections.abc import Iterable
from pathlib import Path

from regact.reads.sources.fragment_file import is_fragment_file

# docs/coverage.md, section Memory: what every process takes, the windows of GC, and what a place takes. A file does not
# say how many places it has, so this is for a byte of it, measured, the highest: a BAM whose bases and qualities pack
# well 7 (one of pairs of 50 bases from a sequencer 2.5), a fragment file 38. CRAM is half as large as BAM.
_EACH_BYTES = 300_000_000
_BYTES_PER_KB = 60
_PER_BAM_BYTE, _PER_CRAM_BYTE, _PER_FRAGMENT_BYTE = 8, 16, 40
# Left for what else runs.
_USED_SHARE = 0.9


def estimate_memory(source: Path, genome_bp: int) -> int:
    """Bytes that a sample of this file takes at most, about; of a fragment file all groups are held together."""
    per_byte = _PER_BAM_BYTE
    if is_fragment_file(source):
        per_byte = _PER_FRAGMENT_BYTE
    elif source.suffix.lower() == ".cram":
        per_byte = _PER_CRAM_BYTE
    return _EACH_BYTES + _BYTES_PER_KB * genome_bp // 1_000 + per_byte * source.stat().st_size


def workers_that_fit(needed: Iterable[int], *, cores: int, free_bytes: int) -> int:
    """Processes for samples that need so many bytes each: any so many of them fit beside each other; at least 1."""
    workers, together = 0, 0
    for size in sorted(needed, reverse=True)[:cores]:
        together += size
        if together > _USED_SHARE * free_bytes:
            break
        workers += 1
    return max(workers, 1)
