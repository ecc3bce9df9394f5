"""Fragments as a sequencer reports them: bases with errors, their qualities, and FASTQ records of both."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float64, Int32, Int64, UInt8

from regact.genome import Genome, reverse_complement
from regact.genome.sequence import BASES
from regact.simulation.fragments import Fragments
from regact.simulation.reads_config import ReadsConfig

READS_AT_ONCE = 50_000
_LETTERS = np.frombuffer(BASES.encode(), np.uint8)
_SMALLEST_QUALITY, _LARGEST_QUALITY, _PHRED_OFFSET = 2, 41, 33


def error_rates(config: ReadsConfig) -> Float64[np.ndarray, "base"]:
    """Return how often each base of a read is wrong: from the first to the last by a constant factor a base."""
    first, last = config.first_error, config.last_error
    if min(first, last) == 0:
        return np.linspace(first, last, config.read_bp)
    return np.geomspace(first, last, config.read_bp)


def quality_letters(errors: Float64[np.ndarray, "base"]) -> UInt8[np.ndarray, "base"]:
    """Return the Phred+33 letters that say these error rates, between Q2 and Q41."""
    quality = np.rint(-10 * np.log10(np.maximum(errors, 1e-9)))
    return (np.clip(quality, _SMALLEST_QUALITY, _LARGEST_QUALITY) + _PHRED_OFFSET).astype(np.uint8)


def read_records(
    genome: Genome, fragments: Fragments, sample: str, config: ReadsConfig, mate: int, rng: np.random.Generator
) -> Iterator[bytes]:
    """Yield FASTQ text of mate 1 or 2 of all fragments, some tens of thousands of reads at a time.

    Mate 1 is a fragment's 5' end on its strand, mate 2 the reverse complement of its other end. Both are called
    `SAMPLE.NUMBER`, numbered from 0.
    """
    errors = error_rates(config)
    qualities = quality_letters(errors)
    digits = len(str(len(fragments) - 1))
    for first in range(0, len(fragments), READS_AT_ONCE):
        rows = np.arange(first, min(first + READS_AT_ONCE, len(fragments)))
        codes = _add_errors(_mate_codes(genome, fragments.take(rows), config.read_bp, mate), errors, rng)
        yield _fastq(sample, rows, digits, codes, qualities)


def _mate_codes(genome: Genome, fragments: Fragments, read_bp: int, mate: int) -> UInt8[np.ndarray, "read base"]:
    """Return the bases of one mate of each fragment, in the order of reading."""
    at_left = fragments.forward == (mate == 1)
    start = np.where(at_left, fragments.start, fragments.start + fragments.length - read_bp)
    codes = _forward_codes(genome, fragments.contig, start, read_bp)
    codes[~at_left] = reverse_complement(codes[~at_left])
    return codes


def _forward_codes(
    genome: Genome, contig: Int32[np.ndarray, "read"], start: Int64[np.ndarray, "read"], width: int
) -> UInt8[np.ndarray, "read base"]:
    codes = np.empty((len(start), width), np.uint8)
    for number, chrom in enumerate(genome.lengths):
        rows = np.flatnonzero(contig == number)
        if len(rows):
            codes[rows] = genome.contig(chrom)[start[rows, None] + np.arange(width)]
    return codes


def _add_errors(
    codes: UInt8[np.ndarray, "read base"], errors: Float64[np.ndarray, "base"], rng: np.random.Generator
) -> UInt8[np.ndarray, "read base"]:
    """Return the bases with some replaced by one of the three others."""
    wrong: Bool[np.ndarray, "read base"] = rng.random(codes.shape, dtype=np.float32) < errors
    codes[wrong] = (codes[wrong] + rng.integers(1, 4, int(wrong.sum()), dtype=np.uint8)) % 4
    return codes


def _fastq(
    sample: str,
    numbers: Int64[np.ndarray, "read"],
    digits: int,
    codes: UInt8[np.ndarray, "read base"],
    qualities: UInt8[np.ndarray, "base"],
) -> bytes:
    """Return records of equal length, filled in as one table of bytes."""
    head = np.frombuffer(f"@{sample}.".encode(), np.uint8)
    powers = 10 ** np.arange(digits - 1, -1, -1)
    parts = (head, ord("0") + numbers[:, None] // powers % 10, b"\n", _LETTERS[codes], b"\n+\n", qualities, b"\n")
    columns = [np.frombuffer(part, np.uint8) if isinstance(part, bytes) else part.astype(np.uint8) for part in parts]
    whole = [np.broadcast_to(column, (len(numbers), column.shape[-1])) for column in columns]
    return np.concatenate(whole, axis=1).tobytes()
