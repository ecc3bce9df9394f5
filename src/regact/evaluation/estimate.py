"""A number with its 95 % interval over seeds and blocks of the genome, and differences between two of them.

Both sources of chance are drawn anew in each resample: which blocks the genome happens to have, the same for all
models, and which seeds the training happened to have. Few of either make a plain percentile interval too narrow (with
three seeds it holds the truth in 75-80 % of cases), so it is widened as Student's t is against the normal distribution;
formulas in docs/evaluation.md.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy import stats

LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A number, its interval, and how likely one so far from 0 would be if the truth were 0; NaN where not known."""

    value: float
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval is known and does not hold 0."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class SeedVariance:
    """Variance of a mean over seeds.

    Attributes:
        variance: What seeds add to that of the blocks.
        found: As the seeds differ on the whole split, some of which the draws of blocks show already.
        freedom: Its degrees of freedom.
    """

    variance: float
    found: float
    freedom: int


@dataclass(frozen=True)
class Resamples:
    """A number as it was found, and as it might have been found with other blocks and other seeds.

    Attributes:
        value: The mean over seeds, on the whole split.
        by_block: The mean over seeds in each draw of blocks; empty where there are too few blocks.
        by_seed: What drawing other seeds adds to it; 0 with one seed, which tells nothing of others.
        n_blocks: Blocks that there are to draw.
        seed_variances: What the seeds of each model say of the variance of its mean.
    """

    value: float
    by_block: Float64[np.ndarray, "draw"]
    by_seed: Float64[np.ndarray, "draw"]
    n_blocks: int
    seed_variances: tuple[SeedVariance, ...] = ()

    @classmethod
    def over_seeds(
        cls,
        values: Float64[np.ndarray, "seed"],
        drawn: Float64[np.ndarray, "seed draw"],
        n_blocks: int,
        random: np.random.Generator,
    ) -> "Resamples":
        """From the number on the whole split and in each draw of blocks, for each seed.

        Seeds differ on the whole split also because each of them is right and wrong in other blocks, which the draws of
        blocks show already: their deviations are shrunk to what is left of their variance. And the variance of drawing
        S of S seeds with replacement is (S - 1) / S of what it should be: this is made up for.
        """
        n_seeds, n_draws = drawn.shape
        value, by_block = float(values.mean()), drawn.mean(axis=0)
        if n_seeds == 1 or n_draws == 0:
            return cls(value, by_block, np.zeros(n_draws), n_blocks)
        spread = n_seeds / (n_seeds - 1)
        found = float(np.var(values, ddof=1))
        by_chance = float(np.nanvar(drawn - by_block, axis=1).mean()) * spread
        variance = max(0.0, found - by_chance)
        shrunk = (values - value) * math.sqrt(spread * variance / found) if found > 0 else np.zeros(n_seeds)
        by_seed = shrunk[random.integers(0, n_seeds, (n_draws, n_seeds))].mean(axis=1)
        about = SeedVariance(variance / n_seeds, found / n_seeds, n_seeds - 1)
        return cls(value, by_block, by_seed, n_blocks, (about,))

    def __sub__(self, other: "Resamples") -> "Resamples":
        """The difference to another model, in the same draws of blocks and with seeds of its own."""
        return Resamples(
            self.value - other.value,
            self.by_block - other.by_block,
            self.by_seed - other.by_seed,
            min(self.n_blocks, other.n_blocks),
            self.seed_variances + other.seed_variances,
        )

    def estimate(self) -> Estimate:
        """The interval and p of the number; the number alone where nothing was drawn, or it is not known."""
        of_blocks = math.sqrt(self.n_blocks / max(1, self.n_blocks - 1))  # B of B blocks drawn, as with seeds
        draws = self.value + of_blocks * (self.by_block - self.value) + self.by_seed
        draws = draws[np.isfinite(draws)]
        if math.isnan(self.value) or len(draws) < 2:
            return Estimate(self.value)
        block_variance = of_blocks**2 * float(np.nanvar(self.by_block))
        variance = block_variance + sum(seeds.variance for seeds in self.seed_variances)
        freedom = self._freedom(block_variance)
        tail = (1 + LEVEL) / 2
        widening = float(stats.t.ppf(tail, freedom) / stats.norm.ppf(tail))
        low, high = self.value + widening * (np.quantile(draws, [1 - tail, tail]) - self.value)
        if variance == 0:
            p = 1.0 if self.value == 0 else 0.0
        else:
            p = 2 * float(stats.t.sf(abs(self.value) / math.sqrt(variance), freedom))
        return Estimate(self.value, float(low), float(high), p)

    def _freedom(self, block_variance: float) -> float:
        """Degrees of freedom: their harmonic mean over blocks and seeds, by the variance that each shows.

        Below those of Welch and Satterthwaite, which take the shares of a few seeds for known and cover too little.
        """
        shown = [(block_variance, self.n_blocks - 1)]
        shown += [(seeds.found, seeds.freedom) for seeds in self.seed_variances]
        inverse = sum(variance / freedom for variance, freedom in shown)
        return sum(variance for variance, _ in shown) / inverse if inverse > 0 else math.inf


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's (1979) correction of p values that are looked at together; NaN stays NaN and counts as none.

    The smallest of m is multiplied by m, the next by m - 1, and so on; none is below one before it, none above 1.
    """
    known = sorted((p, place) for place, p in enumerate(p_values) if not math.isnan(p))
    corrected = [math.nan] * len(p_values)
    highest = 0.0
    for done, (p, place) in enumerate(known):
        highest = max(highest, min(1.0, (len(known) - done) * p))
        corrected[place] = highest
    return corrected
