"""The sequence between the planted sites: bases with a drifting GC share, and interspersed repeats."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8
from scipy.signal import lfilter

from regact.genome import reverse_complement
from regact.simulation.config import BackgroundConfig, RepeatFamily

_GC_STEP_BP = 1_000
_BLOCK_STEPS = 1_000
# A copy of a repeat keeps its end and between this share and all of its consensus, as LINEs do.
_SHORTEST_COPY = 0.2


@dataclass(frozen=True)
class RepeatCopy:
    """One copy of a repeat: its bases `start` to `end`, its family by number, and its strand."""

    start: int
    end: int
    family: int
    strand: int


def background_sequence(
    length: int,
    config: BackgroundConfig,
    consensus: Sequence[UInt8[np.ndarray, " position"]],
    rng: np.random.Generator,
) -> tuple[UInt8[np.ndarray, " position"], list[RepeatCopy]]:
    """Codes of one contig without any planted site, and its repeats; `consensus` holds each family's sequence."""
    codes = _random_bases(gc_along(length, config, rng), length, rng)
    copies = [
        copy
        for number, (family, sequence) in enumerate(zip(config.repeats, consensus, strict=True), start=1)
        for copy in _insert_copies(codes, number, family, sequence, rng)
    ]
    return codes, sorted(copies, key=lambda copy: (copy.start, copy.end))


def repeat_consensus(config: BackgroundConfig, rng: np.random.Generator) -> tuple[UInt8[np.ndarray, " position"], ...]:
    """The sequence of each repeat family, shared by all contigs."""
    return tuple(
        _random_bases(np.full(-(-family.length_bp // _GC_STEP_BP), config.gc), family.length_bp, rng)
        for family in config.repeats
    )


def gc_along(length: int, config: BackgroundConfig, rng: np.random.Generator) -> Float64[np.ndarray, " step"]:
    """Share of G and C expected in each kilobase: an autoregressive process whose mean over the contig is `gc`.

    Its stationary standard deviation is `gc_sd`, and its autocorrelation falls to 1/e over `gc_scale_bp`.
    """
    steps = -(-length // _GC_STEP_BP)
    keep = np.exp(-_GC_STEP_BP / config.gc_scale_bp)
    noise = rng.standard_normal(steps) * np.sqrt(1 - keep**2)
    noise[0] /= np.sqrt(1 - keep**2)  # begins in the stationary state
    drift = config.gc_sd * lfilter([1.0], [1.0, -keep], noise)
    return np.clip(config.gc + drift - drift.mean(), 0.05, 0.95)


def _random_bases(
    gc: Float64[np.ndarray, " step"], length: int, rng: np.random.Generator
) -> UInt8[np.ndarray, " position"]:
    codes = np.empty(length, np.uint8)
    # In blocks, so that memory does not grow with the contig.
    for step in range(0, len(gc), _BLOCK_STEPS):
        start, stop = step * _GC_STEP_BP, min(length, (step + _BLOCK_STEPS) * _GC_STEP_BP)
        local = np.repeat(gc[step : step + _BLOCK_STEPS].astype(np.float32), _GC_STEP_BP)[: stop - start]
        is_gc = rng.random(stop - start, dtype=np.float32) < local
        other = rng.integers(0, 2, stop - start, dtype=np.uint8)
        # G or C: 1 + {0, 1}; A or T: 3 * {0, 1}.
        codes[start:stop] = np.where(is_gc, 1 + other, 3 * other)
    return codes


def _insert_copies(
    codes: UInt8[np.ndarray, " position"],
    number: int,
    family: RepeatFamily,
    consensus: UInt8[np.ndarray, " position"],
    rng: np.random.Generator,
) -> Iterator[RepeatCopy]:
    """Write the copies of one family into `codes`; a later copy may cover an earlier one."""
    mean_copy = len(consensus) * (1 + _SHORTEST_COPY) / 2
    for _ in range(round(family.share * len(codes) / mean_copy)):
        kept = min(len(codes), round(len(consensus) * rng.uniform(_SHORTEST_COPY, 1)))
        copy = consensus[len(consensus) - kept :].copy()
        mutated = np.flatnonzero(rng.random(kept) < family.divergence)
        copy[mutated] = (copy[mutated] + rng.integers(1, 4, len(mutated))) % 4
        start = int(rng.integers(0, len(codes) - kept + 1))
        strand = 1 if rng.random() < 0.5 else -1
        codes[start : start + kept] = copy if strand > 0 else reverse_complement(copy)
        yield RepeatCopy(start, start + kept, number, strand)
