"""The rate of reads at the places of multi-mapped reads, estimated from how they are shared out now.

Three estimators, one contract: `rate(mass)` takes how many multi-mapped reads lie at each site (a site is a base where
such a read may come from) and gives the rate there. K is the Gaussian kernel of `smoothing`, u the unique reads, m the
shares of multi-mapped reads, b the background that every base has.

- `SmoothedRate`: b + K(u + m), the heuristic.
- `ClippedRate`: b + K(clip(u + m)), towers cut.
- `LatentRate`: b + K r, where r, a rate of its own for every base where a read may lie, rises and falls with the reads
  that it explains.
"""

from typing import Protocol

import numpy as np
from jaxtyping import Bool, Float64, Int64

from regact.reads.multimap.clip import clip_towers
from regact.reads.multimap.smoothing import kernel_radius, smooth_places

Borders = Int64[np.ndarray, " contig+1"]


class RateEstimate(Protocol):
    """Estimates the rate at the sites of multi-mapped reads."""

    def rate(self, mass: Float64[np.ndarray, " site"]) -> Float64[np.ndarray, " site"]:
        """The rate at each site, given the multi-mapped reads that lie there; called once a round."""
        ...

    def log_likelihood_of_unique(self) -> float | None:
        """What unique reads and the rate's total add to the log-likelihood; None where the model has none."""
        ...


class SmoothedRate:
    """Background and Gaussian-smoothed coverage."""

    def __init__(
        self,
        sites: Int64[np.ndarray, " site"],
        unique: Int64[np.ndarray, " place"],
        counts: Int64[np.ndarray, " place"],
        borders: Borders,
        *,
        sd_bp: float,
        background: float,
    ) -> None:
        self._sites, self._borders, self._sd_bp = sites, borders, sd_bp
        # Unique reads stay where they are, so what they give to the sites is computed once.
        self._fixed = background + smooth_places(unique, counts.astype(np.float64), sites, borders, sd_bp)

    def rate(self, mass: Float64[np.ndarray, " site"]) -> Float64[np.ndarray, " site"]:
        """B + K(u + m)."""
        return self._fixed + smooth_places(self._sites, mass, self._sites, self._borders, self._sd_bp)

    def log_likelihood_of_unique(self) -> None:
        """None: no likelihood belongs to this rate."""


class Neighbourhood:
    """The places of reads that have to do with multi-mapped ones: chains of places that reach each other to a site.

    What lies in other chains changes nothing at any site, exactly.

    Attributes:
        places: Distinct places of unique and multi-mapped reads, ascending.
        is_site: Which of them are sites.
        unique_counts: Unique reads at them.
    """

    def __init__(
        self,
        sites: Int64[np.ndarray, " site"],
        unique: Int64[np.ndarray, " place"],
        counts: Int64[np.ndarray, " place"],
        borders: Borders,
        sd_bp: float,
    ) -> None:
        places = np.union1d(sites, unique)
        is_site = _are_in(places, sites)
        kept = _in_chain_with_site(places, is_site, borders, kernel_radius(sd_bp))
        self.places, self.is_site = places[kept], is_site[kept]
        self.borders, self.sd_bp = borders, sd_bp
        unique_counts = np.zeros(len(places))
        unique_counts[_are_in(places, unique)] = counts
        self.unique_counts = unique_counts[kept]

    def coverage(self, mass: Float64[np.ndarray, " site"]) -> Float64[np.ndarray, " place"]:
        """Unique and multi-mapped reads at `places`."""
        coverage = self.unique_counts.copy()
        coverage[self.is_site] += mass
        return coverage

    def smooth(self, values: Float64[np.ndarray, " place"]) -> Float64[np.ndarray, " place"]:
        """Values at `places`, smoothed."""
        return smooth_places(self.places, values, self.places, self.borders, self.sd_bp)


class ClippedRate:
    """Background and Gaussian-smoothed coverage in which towers are cut to their limits."""

    def __init__(self, near: Neighbourhood, *, background: float, ceiling: int) -> None:
        self._near, self._background, self._ceiling = near, background, ceiling

    def rate(self, mass: Float64[np.ndarray, " site"]) -> Float64[np.ndarray, " site"]:
        """B + K(clip(u + m))."""
        near = self._near
        coverage = near.coverage(mass)
        clipped = clip_towers(near.places, coverage, near.borders, sd_bp=near.sd_bp, ceiling=self._ceiling)
        return self._background + near.smooth(clipped)[near.is_site]

    def log_likelihood_of_unique(self) -> None:
        """None: no likelihood belongs to this rate."""


class LatentRate:
    """Background and a latent rate seen through the kernel: expectation and maximisation of one likelihood.

    Reads arise as a Poisson process: base y sends out r(y) of them, each lands at x with probability K(x, y), and at
    every base b more arise that no r explains. A unique read shows its x, a multi-mapped one several that it may have.
    With S = K r + b the log-likelihood is, but for a constant,

        sum over unique reads of log S(x) + sum over multi-mapped reads of log sum_j l_j S(x_j) - sum over bases of r

    and the step r <- r * K((u + m) / S), with m the expected multi-mapped reads, never lowers it (Richardson, Lucy and
    Shepp & Vardi's step, with reads of unknown place). r may differ from 0 on the places of reads: memory follows them.
    """

    def __init__(self, near: Neighbourhood, *, background: float) -> None:
        self._near, self._background = near, background
        # Both are empty before the first round.
        self._latent = np.empty(0)
        self._seen = np.empty(0)

    def rate(self, mass: Float64[np.ndarray, " site"]) -> Float64[np.ndarray, " site"]:
        """B + K r after one more step of r, which starts as the coverage itself."""
        coverage = self._near.coverage(mass)
        if not len(self._latent):
            self._latent = coverage
        else:
            # Far from all reads that are left, and without background, nothing is expected and nothing seen.
            ratio = np.divide(coverage, self._seen, out=np.zeros(len(coverage)), where=self._seen > 0)
            self._latent = self._latent * self._near.smooth(ratio)
        self._seen = self._background + self._near.smooth(self._latent)
        return self._seen[self._near.is_site]

    def log_likelihood_of_unique(self) -> float:
        """The first and the last sum above, over what has to do with multi-mapped reads, at the latest rate."""
        unique = self._near.unique_counts
        has_reads = unique > 0
        log_rate = np.log(self._seen[has_reads])
        return float(unique[has_reads] @ log_rate) - float(self._latent.sum())


def _are_in(places: Int64[np.ndarray, " place"], some: Int64[np.ndarray, " site"]) -> Bool[np.ndarray, " place"]:
    """Which of the ascending `places` are among `some` of them."""
    marked = np.zeros(len(places), np.bool_)
    marked[np.searchsorted(places, some)] = True
    return marked


def _in_chain_with_site(
    places: Int64[np.ndarray, " place"], is_site: Bool[np.ndarray, " place"], borders: Borders, radius: int
) -> Bool[np.ndarray, " place"]:
    contig = np.searchsorted(borders, places, side="right")
    breaks = (np.diff(places) > radius) | (np.diff(contig) > 0)
    chain = np.concatenate([[0], np.cumsum(breaks)])
    return np.bincount(chain, weights=is_site)[chain] > 0
