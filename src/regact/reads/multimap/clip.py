"""Towers: bases with far more reads than their neighbourhood explains, as amplification makes them, cut to a limit.

A base may keep as many reads as chance would give it: its limit is the 99 % quantile of a Poisson variable whose mean
is the smoothed coverage of its neighbours, but at least 1 and at most a ceiling. The neighbours are themselves cut to
their limits, or towers would vouch for each other: limits start at 1 everywhere and grow as long as neighbours, cut to
theirs, allow it. They never fall on the way, so this ends, in the lowest limits that agree with each other.
"""

import numpy as np
from jaxtyping import Float32, Float64, Int64
from scipy.special import gammaincinv

from regact.reads.alignments import Alignments
from regact.reads.layout import GenomeLayout
from regact.reads.multimap.smoothing import gaussian_kernel, smooth_places
from regact.reads.multimap.strands import strand_coordinates

CHANCE = 0.01


def clip_limits(
    mean: Float64[np.ndarray, " site"], ceiling: int, *, chance: float = CHANCE
) -> Float64[np.ndarray, " site"]:
    """Smallest count, from 1 to `ceiling`, that a Poisson variable of this mean exceeds with probability <= `chance`.

    Raises: ValueError unless `ceiling` >= 1.
    """
    if ceiling < 1:
        raise ValueError(f"at most {ceiling} reads a base; needed >= 1")
    # A Poisson variable exceeds k as often as a gamma variable of shape k + 1 stays below its mean.
    thresholds = gammaincinv(np.arange(1, ceiling) + 1, chance)
    return 1.0 + np.searchsorted(thresholds, mean)


def clip_towers(
    places: Int64[np.ndarray, " place"],
    coverage: Float64[np.ndarray, " place"],
    borders: Int64[np.ndarray, " contig+1"],
    *,
    sd_bp: float,
    ceiling: int,
) -> Float64[np.ndarray, " place"]:
    """The coverage, no base above its limit; elsewhere than at `places` it is 0.

    Args:
        places: Genome-wide coordinates, strictly ascending.
        coverage: Reads (or their shares) counted at them, >= 0.
        borders: Where contigs start, and the last one's end.
        sd_bp: Standard deviation of the Gaussian that weighs neighbours; the base itself has no say.
        ceiling: No base keeps more reads than this.
    """
    own_weight = gaussian_kernel(sd_bp)[0]
    limits = np.ones(len(places))
    while True:
        clipped = np.minimum(coverage, limits)
        smoothed = smooth_places(places, clipped, places, borders, sd_bp)
        mean = (smoothed - own_weight * clipped) / (1 - own_weight)
        grown = np.maximum(limits, clip_limits(mean, ceiling))
        if (np.minimum(coverage, grown) == clipped).all():
            return clipped
        limits = grown


def clip_factors(
    alignments: Alignments,
    weight: Float32[np.ndarray, " alignment"],
    layout: GenomeLayout,
    *,
    sd_bp: float,
    ceiling: int,
    stranded: bool = False,
) -> Float32[np.ndarray, " alignment"]:
    """What to multiply the alignments' weights with so that no base is above its limit; 1 where there is no tower.

    Args:
        weight: Share of its read that each alignment has, as `place_reads` gives it.
        stranded: Count the strands apart.
    """
    coordinates, borders = strand_coordinates(alignments, layout, stranded=stranded)
    places, found = np.unique(coordinates, return_inverse=True)
    coverage = np.bincount(found, weights=weight, minlength=len(places))
    clipped = clip_towers(places, coverage, borders, sd_bp=sd_bp, ceiling=ceiling)
    factor = np.divide(clipped, coverage, out=np.ones(len(places)), where=coverage > 0)
    return factor.astype(np.float32)[found]
