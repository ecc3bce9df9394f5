"""Motifs as position weight matrices of a stated information content."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int32, UInt8
from scipy.optimize import brentq

IUPAC_BASES = {
    "A": "A", "C": "C", "G": "G", "T": "T",
    "R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC",
    "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT",
}  # fmt: skip
SCORE_UNITS_PER_BIT = 1_000
# A site with an N is never bound: its score lies below any that bases can give.
N_SCORE = -10_000_000


@dataclass(frozen=True, eq=False)
class Motif:
    """A position weight matrix and how strongly sites with it are bound.

    Attributes:
        name: Unique name.
        probabilities: Probability of A, C, G, T at each position of a true site, `(width, 4)`.
        half_bound_bits: Score at which a site is bound half of the time.
        scale_bits: Slope of the logistic function from score to occupancy.
        smallest_occupancy: Occupancy below this is taken as none.
    """

    name: str
    probabilities: Float64[np.ndarray, "width 4"]
    half_bound_bits: float
    scale_bits: float
    smallest_occupancy: float

    @property
    def width(self) -> int:
        """Number of positions."""
        return len(self.probabilities)

    @cached_property
    def scores(self) -> Int32[np.ndarray, "width 5"]:
        """Log-odds against equal base frequencies for A, C, G, T, N, in thousandths of a bit.

        Whole numbers, so that a sum does not depend on its order: both strands and every window give the same score.
        """
        log_odds = np.round(np.log2(self.probabilities / 0.25) * SCORE_UNITS_PER_BIT).astype(np.int32)
        return np.pad(log_odds, ((0, 0), (0, 1)), constant_values=N_SCORE)

    @property
    def smallest_score(self) -> int:
        """The least score of a site that is bound at all, in thousandths of a bit."""
        log_odds = np.log(self.smallest_occupancy / (1 - self.smallest_occupancy))
        return int(np.ceil((self.half_bound_bits + self.scale_bits * log_odds) * SCORE_UNITS_PER_BIT))

    def occupancy(self, score: Int32[np.ndarray, " hit"]) -> Float64[np.ndarray, " hit"]:
        """Share of the time that sites of `score` (thousandths of a bit) are bound, 0 to 1; logistic in the score."""
        bits = score / SCORE_UNITS_PER_BIT
        occupancy = 1 / (1 + np.exp(-(bits - self.half_bound_bits) / self.scale_bits))
        return np.where(score >= self.smallest_score, occupancy, 0.0)

    def sample(self, rng: np.random.Generator, *, least_occupancy: float = 0.0) -> UInt8[np.ndarray, " width"]:
        """Codes of one site drawn from the matrix, given that it is bound at least `least_occupancy` of the time.

        Raises: ValueError where not even the best site is bound that much.
        """
        rows = np.arange(self.width)
        best = self.scores[:, :4].max(axis=1).sum(keepdims=True)
        if self.occupancy(best)[0] < least_occupancy:
            raise ValueError(f"no site of motif {self.name} is bound {least_occupancy:g} of the time")
        cumulative = np.cumsum(self.probabilities, axis=1)
        while True:
            # The last column is 1 but for rounding; three comparisons keep the code within 0 to 3.
            codes = (rng.random((self.width, 1)) >= cumulative[:, :3]).sum(axis=1)
            if self.occupancy(self.scores[rows, codes].sum(keepdims=True))[0] >= least_occupancy:
                return codes.astype(np.uint8)


def build_motif(
    name: str, consensus: str, bits: float, *, scale_bits: float = 2.0, smallest_occupancy: float = 0.02
) -> Motif:
    """The motif whose matrix follows `consensus` (IUPAC letters) and has `bits` of information.

    Every position is the same mixture of its letter's bases (equally likely) and all four bases; the mixture's weight
    is solved for. A site's mean score over the motif's own sites is `bits`, and there it is half bound.

    Raises: ValueError where the consensus cannot carry so much information.
    """
    largest = largest_information_bits(consensus)
    if not 0 < bits <= largest:
        raise ValueError(f"motif {name}: {bits:g} bits; {consensus} can carry more than 0 and at most {largest:.2f}")
    letters = np.array([[(base in IUPAC_BASES[letter]) for base in "ACGT"] for letter in consensus], np.float64)
    letters /= letters.sum(axis=1, keepdims=True)

    def mixture(weight: float) -> Float64[np.ndarray, "width 4"]:
        return weight * letters + (1 - weight) * 0.25

    # 1 itself would give probabilities of 0 and infinite log-odds.
    top = 1 - 1e-9
    weight = top if bits >= information_bits(mixture(top)) else brentq(
        lambda value: information_bits(mixture(value)) - bits, 0.0, top, xtol=1e-14
    )  # fmt: skip
    return Motif(name, mixture(weight), bits, scale_bits, smallest_occupancy)


def information_bits(probabilities: Float64[np.ndarray, "width 4"]) -> float:
    """Information content against equal base frequencies: the sum over positions of 2 + sum(p log2 p)."""
    logs = np.log2(probabilities, out=np.zeros_like(probabilities), where=probabilities > 0)
    return float((2 + (probabilities * logs).sum(axis=1)).sum())


def largest_information_bits(consensus: str) -> float:
    """Information content of sites that all follow `consensus` (IUPAC letters)."""
    return float(sum(2 - np.log2(len(IUPAC_BASES[letter])) for letter in consensus))
