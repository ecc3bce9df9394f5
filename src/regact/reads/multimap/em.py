"""How reads with several places are shared out among them: expectation and maximisation.

Each read counts as one. Its shares start equal (or as its likelihoods), then each round estimates the rate of reads at
every place where a multi-mapped read may come from (`rate`) and makes the read's shares proportional to likelihood
times rate there. Only the rate at those places matters, so nothing as long as the genome is ever held.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt32

from regact.reads.alignments import SHARES_IN_ONE, Alignments
from regact.reads.compiled import compiled
from regact.reads.layout import GenomeLayout
from regact.reads.multimap.rate import ClippedRate, LatentRate, Neighbourhood, RateEstimate, SmoothedRate
from regact.reads.multimap.read_classes import ReadClasses, group_reads
from regact.reads.multimap.strands import strand_coordinates

BACKGROUND = 0.01


@dataclass(frozen=True, eq=False)
class Placement:
    """How reads are shared out among their places.

    Attributes:
        weight: Share of its read that each alignment has; a read's shares add up to 1 exactly.
        n_multimapped: Reads with more than one place.
        change: For each round, by how much a multi-mapped read's shares changed: sum over its places, mean over reads.
        log_likelihood: For each round of the exact variant, that of the rate before shares were changed; else empty.
        converged: Whether the last change was below the tolerance.
    """

    weight: Float32[np.ndarray, " alignment"]
    n_multimapped: int
    change: tuple[float, ...]
    log_likelihood: tuple[float, ...]
    converged: bool

    @property
    def rounds(self) -> int:
        """Rounds done."""
        return len(self.change)


def place_reads(
    alignments: Alignments,
    layout: GenomeLayout,
    *,
    sd_bp: float,
    max_rounds: int,
    tolerance: float,
    exact: bool = False,
    stranded: bool = False,
    likelihood: Float32[np.ndarray, " alignment"] | None = None,
    background: float = BACKGROUND,
    ceiling: int | None = None,
) -> Placement:
    """Shares of reads at their places, in the order of `alignments`; a read with one place has its whole weight there.

    The result does not depend, to the last bit, on the order of the reads or of a read's alignments. Time and memory
    follow the alignments (about 60 bytes for each of a multi-mapped read), not the genome.

    Args:
        sd_bp: Standard deviation of the Gaussian through which coverage is seen.
        max_rounds: Rounds at most; 0 leaves the equal shares.
        tolerance: Stop when the mean change of a multi-mapped read's shares is below this (0 to 2).
        exact: Maximise a likelihood (`LatentRate`) instead of smoothing the coverage in each round (`SmoothedRate`),
            which comes near it without ever being sure to.
        stranded: Reads of the two strands tell nothing of each other.
        likelihood: How probable the read is from each of its places, up to a factor for each read; >= 0. Equal where
            not given.
        background: Reads a base that are expected everywhere: the higher, the more coverage it takes to move shares.
        ceiling: Cut towers before smoothing, and every base to this many reads (`clip`).

    Raises: ValueError for arguments out of range, `exact` together with `ceiling`, or a read without any likelihood.
    """
    _check_arguments(max_rounds, tolerance, exact, background, ceiling)
    n_places = np.diff(alignments.offsets)
    is_multimapped = n_places > 1
    weight = np.ones(len(alignments.place), np.float32)
    if not is_multimapped.any():
        return Placement(weight, 0, (), (), converged=True)
    of_multimapped = np.repeat(is_multimapped, n_places)
    coordinates, borders = strand_coordinates(alignments, layout, stranded=stranded)
    places = coordinates[of_multimapped]
    known = np.ones(len(places), np.float32) if likelihood is None else likelihood[of_multimapped].astype(np.float32)
    classes = group_reads(n_places[is_multimapped], places, known)
    _check_likelihoods(classes)
    unique, counts = np.unique(coordinates[np.repeat(n_places == 1, n_places)], return_counts=True)
    estimate: RateEstimate
    if exact:
        near = Neighbourhood(classes.sites, unique, counts, borders, sd_bp)
        estimate = LatentRate(near, background=background)
    elif ceiling is not None:
        near = Neighbourhood(classes.sites, unique, counts, borders, sd_bp)
        estimate = ClippedRate(near, background=background, ceiling=ceiling)
    else:
        estimate = SmoothedRate(classes.sites, unique, counts, borders, sd_bp=sd_bp, background=background)
    shares, change, log_likelihood = _iterate(classes, estimate, max_rounds, tolerance)
    weight[of_multimapped] = classes.of_alignments(_whole_shares(classes.offsets, shares))
    return Placement(weight, classes.n_reads, change, log_likelihood, converged=bool(change) and change[-1] < tolerance)


def _iterate(
    classes: ReadClasses, estimate: RateEstimate, max_rounds: int, tolerance: float
) -> tuple[Float64[np.ndarray, " entry"], tuple[float, ...], tuple[float, ...]]:
    """Shares of the classes' entries after the last round, and what happened in each."""
    shares = np.zeros(len(classes.site))
    mass, _, _ = _share_out(classes, np.ones(len(classes.sites)), shares)
    changes, log_likelihoods = [], []
    for _ in range(max_rounds):
        mass, change, log_likelihood = _share_out(classes, estimate.rate(mass), shares)
        of_unique = estimate.log_likelihood_of_unique()
        changes.append(change / classes.n_reads)
        if of_unique is not None:
            log_likelihoods.append(log_likelihood + of_unique)
        if changes[-1] < tolerance:
            break
    return shares, tuple(changes), tuple(log_likelihoods)


def _share_out(
    classes: ReadClasses, rate: Float64[np.ndarray, " site"], shares: Float64[np.ndarray, " entry"]
) -> tuple[Float64[np.ndarray, " site"], float, float]:
    """Set shares to be proportional to likelihood x rate; mass at sites, sum of changes, the reads' log-likelihood."""
    return _share_out_classes(classes.offsets, classes.site, classes.likelihood, classes.count, rate, shares)


@compiled
def _share_out_classes(
    offsets: Int64[np.ndarray, " class+1"],
    site: UInt32[np.ndarray, " entry"],
    likelihood: Float32[np.ndarray, " entry"],
    count: Int64[np.ndarray, " class"],
    rate: Float64[np.ndarray, " site"],
    shares: Float64[np.ndarray, " entry"],
) -> tuple[Float64[np.ndarray, " site"], float, float]:
    mass = np.zeros(len(rate))
    change, log_likelihood = 0.0, 0.0
    for number in range(len(count)):
        total = 0.0
        for entry in range(offsets[number], offsets[number + 1]):
            total += likelihood[entry] * rate[site[entry]]
        moved = 0.0
        for entry in range(offsets[number], offsets[number + 1]):
            share = likelihood[entry] * rate[site[entry]] / total
            moved += abs(share - shares[entry])
            shares[entry] = share
            mass[site[entry]] += count[number] * share
        change += count[number] * moved
        log_likelihood += count[number] * np.log(total)
    return mass, change, log_likelihood


@compiled
def _whole_shares(
    offsets: Int64[np.ndarray, " class+1"], shares: Float64[np.ndarray, " entry"]
) -> Float32[np.ndarray, " entry"]:
    """Shares as multiples of 1 / SHARES_IN_ONE that add up to 1; what rounding leaves over goes to the largest."""
    whole = np.empty(len(shares), np.float32)
    for number in range(len(offsets) - 1):
        left, largest = SHARES_IN_ONE, offsets[number]
        for entry in range(offsets[number], offsets[number + 1]):
            left -= round(shares[entry] * SHARES_IN_ONE)
            if shares[entry] > shares[largest]:
                largest = entry
        for entry in range(offsets[number], offsets[number + 1]):
            units = round(shares[entry] * SHARES_IN_ONE)
            if entry == largest:
                units += left
            whole[entry] = units / SHARES_IN_ONE
    return whole


def _check_arguments(max_rounds: int, tolerance: float, exact: bool, background: float, ceiling: int | None) -> None:
    if max_rounds < 0 or not tolerance >= 0:
        raise ValueError(f"max_rounds {max_rounds}, tolerance {tolerance}; needed >= 0")
    if not 0 <= background < np.inf:
        raise ValueError(f"background is {background} reads a base; needed >= 0")
    if exact and ceiling is not None:
        raise ValueError("exact placement and a ceiling for towers exclude each other: cut reads have no likelihood")


def _check_likelihoods(classes: ReadClasses) -> None:
    totals = np.add.reduceat(classes.likelihood, classes.offsets[:-1])
    if not ((totals > 0) & np.isfinite(totals)).all() or (classes.likelihood < 0).any():
        raise ValueError("likelihoods must be >= 0, finite, and not all 0 for any read")
