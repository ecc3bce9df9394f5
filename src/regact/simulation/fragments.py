"""Fragments drawn from a known rate, kept or lost by their GC share."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int32, Int64

from regact.errors import DataError
from regact.genome import Genome, Interval
from regact.genome.sequence import N_CODE
from regact.simulation.reads_config import GcBiasConfig, ReadLayout, ReadsConfig
from regact.tracks import Signal, Track

BLOCK_BP = 1 << 20
# Acceptance is known from fragments already drawn; this much more is drawn than it asks for, so that few rounds do.
_SURPLUS = 1.1
_MOST_ROUNDS = 100


@dataclass(frozen=True, eq=False)
class Fragments:
    """Fragments as arrays; `contig` numbers the genome's contigs in file order, `start` counts from the contig's."""

    contig: Int32[np.ndarray, "fragment"]
    start: Int64[np.ndarray, "fragment"]
    length: Int32[np.ndarray, "fragment"]
    forward: Bool[np.ndarray, "fragment"]

    def __len__(self) -> int:
        return len(self.start)

    def take(self, rows: Int64[np.ndarray, "row"]) -> "Fragments":
        """Return the fragments at `rows`, in their order."""
        return Fragments(self.contig[rows], self.start[rows], self.length[rows], self.forward[rows])


@dataclass(frozen=True)
class TrackRate:
    """A track as a rate per base on its strand ("+", "-"), or on both alike (".")."""

    track: Track
    signals: tuple[Signal, ...]
    contigs: tuple[dict[str, str], ...]
    strand: str

    def values(self, block: Interval) -> Float64[np.ndarray, "base"]:
        """Return the rate of every base of `block`, 0 without data.

        Raises: DataError where a rate is negative.
        """
        bases = np.zeros(block.length)
        for signal, names in zip(self.signals, self.contigs, strict=True):
            if block.chrom in names:
                bases += np.nan_to_num(signal.base_values(names[block.chrom], block.start, block.end))
        bases *= self.track.scale
        if bases.size and bases.min() < 0:
            place = block.start + int(bases.argmin())
            raise DataError(
                f"track {self.track.identifier}, {Interval(block.chrom, place, place + 1)}",
                f"the rate is {bases.min():g}",
                "0 or more",
            )
        return bases


def blocks_of(lengths: dict[str, int], block_bp: int = BLOCK_BP) -> list[Interval]:
    """Return the genome cut into blocks that never cross contigs, in file order."""
    return [
        Interval(chrom, start, min(start + block_bp, length))
        for chrom, length in lengths.items()
        for start in range(0, length, block_bp)
    ]


def draw_fragments(
    genome: Genome,
    rates: Sequence[TrackRate],
    layout: ReadLayout,
    config: ReadsConfig,
    count: int,
    rng: np.random.Generator,
) -> Fragments:
    """Return `count` independent fragments whose counted base has a probability proportional to rate times GC bias.

    Fragments that hold an N or would reach beyond their contig do not exist. Memory: the fragments and one block.

    Raises: DataError where the rate is 0 everywhere, or wherever a fragment could lie.
    """
    pieces = [(rate, block) for rate in rates for block in blocks_of(genome.lengths)]
    mass = np.array([rate.values(block).sum() for rate, block in pieces])
    where = "track " + ", ".join(rate.track.identifier for rate in rates)
    if not mass.sum() > 0:
        raise DataError(where, "the rate is 0 on every base of the genome", "some signal to draw fragments from")
    kept: list[Fragments] = []
    tried, found = 0, 0
    for _ in range(_MOST_ROUNDS):
        acceptance = found / tried if found else 1.0
        wanted = int(np.ceil((count - found) / acceptance * _SURPLUS)) + 100
        shares = rng.multinomial(wanted, mass / mass.sum())
        for (rate, block), number in zip(pieces, shares.tolist(), strict=True):
            if number:
                kept.append(_draw_in_block(genome, rate, block, layout, config, number, rng))
                found += len(kept[-1])
        tried += wanted
        if found >= count:
            # At random before the surplus is cut off: the blocks' order must not decide who stays.
            return _join(kept).take(rng.permutation(found)[:count])
    raise DataError(
        where, f"{found} of {tried} fragments could be kept", "rate on sequence other than N, and a weaker gc_bias"
    )


def gc_factor(gc: Float64[np.ndarray, "*shape"], bias: GcBiasConfig | None) -> Float64[np.ndarray, "*shape"]:
    """Return the probability that a fragment of GC share `gc` is kept; at most 1."""
    return np.ones_like(gc) if bias is None else np.exp(-(((gc - bias.peak) / bias.width) ** 2) / 2)


def _draw_in_block(
    genome: Genome,
    rate: TrackRate,
    block: Interval,
    layout: ReadLayout,
    config: ReadsConfig,
    number: int,
    rng: np.random.Generator,
) -> Fragments:
    """Draw `number` fragments whose counted base lies in the block; return those that are kept."""
    cumulative = np.cumsum(rate.values(block))
    # `right`: a draw of exactly a base's upper limit belongs to the next base that has a rate.
    place = block.start + np.searchsorted(cumulative, rng.random(number) * cumulative[-1], side="right")
    forward = np.full(number, rate.strand == "+") if rate.strand != "." else rng.random(number) < 0.5
    lengths = np.rint(rng.normal(config.fragment.mean_bp, config.fragment.sd_bp, number))
    length = np.clip(lengths, config.read_bp, config.longest_fragment_bp).astype(np.int64)
    start = _fragment_starts(place, length, forward, layout)
    kept = rng.random(number) < _keep_probability(genome, block, start, length, config)
    contig = np.full(number, list(genome.lengths).index(block.chrom), np.int32)
    return Fragments(contig, start, length.astype(np.int32), forward).take(np.flatnonzero(kept))


def _fragment_starts(
    place: Int64[np.ndarray, "fragment"],
    length: Int64[np.ndarray, "fragment"],
    forward: Bool[np.ndarray, "fragment"],
    layout: ReadLayout,
) -> Int64[np.ndarray, "fragment"]:
    """Return where fragments begin whose counted base is `place`."""
    if layout.counted == "centre":
        return place - length // 2
    downstream, upstream = layout.shift_bp
    return np.where(forward, place - downstream, place - upstream - length + 1)


def _keep_probability(
    genome: Genome,
    block: Interval,
    start: Int64[np.ndarray, "fragment"],
    length: Int64[np.ndarray, "fragment"],
    config: ReadsConfig,
) -> Float64[np.ndarray, "fragment"]:
    """Return each fragment's probability of being kept; 0 for one that holds an N (as do places beyond a contig)."""
    first, end = int(start.min(initial=block.start)), int((start + length).max(initial=block.end))
    codes = genome.fetch(Interval(block.chrom, first, end))
    gc, unknown = (_running_count(is_one) for is_one in ((codes == 1) | (codes == 2), codes == N_CODE))
    left, right = start - first, start + length - first
    share = (gc[right] - gc[left]) / length
    return np.where(unknown[right] > unknown[left], 0.0, gc_factor(share, config.gc_bias))


def _running_count(is_true: Bool[np.ndarray, "base"]) -> Int64[np.ndarray, "base+1"]:
    return np.concatenate([[0], np.cumsum(is_true)])


def _join(parts: Sequence[Fragments]) -> Fragments:
    columns = ("contig", "start", "length", "forward")
    return Fragments(*(np.concatenate([getattr(part, column) for part in parts]) for column in columns))
