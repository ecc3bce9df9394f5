"""Coverage seen through a Gaussian kernel, contig by contig.

The kernel ends at 4 standard deviations and sums to 1. At the ends of a contig it is reflected: what would lie beyond
the end falls back inside, so that nothing leaks to the neighbouring contig, the total stays, and a constant stays
constant. The smoothing is its own transpose: what x gives to y is what y gives to x.
"""

import numpy as np
from jaxtyping import Float, Float64, Int64
from scipy import ndimage

from regact.reads.compiled import compiled

TRUNCATE_SD = 4.0
# Coverage is smoothed in tiles this long: what one takes fits the processor's nearest cache.
TILE_BP = 1024
# A pair of places takes so many times as long as one step of the pass over bases (measured at sd 4 and 16).
PAIR_COST = 20.0


def kernel_radius(sd_bp: float) -> int:
    """Bases to either side at which the kernel of `sd_bp` still has weight.

    Raises: ValueError unless `sd_bp` is positive and finite.
    """
    if not 0 < sd_bp < np.inf:
        raise ValueError(f"the Gaussian's standard deviation is {sd_bp} bp; needed > 0")
    return int(TRUNCATE_SD * sd_bp + 0.5)


def gaussian_kernel(sd_bp: float) -> Float64[np.ndarray, " distance"]:
    """Weight of a base by its distance, 0 to `kernel_radius`; both sides together sum to 1."""
    weights = np.exp(-0.5 * (np.arange(kernel_radius(sd_bp) + 1) / sd_bp) ** 2)
    return weights / (2 * weights.sum() - weights[0])


def smooth_dense(values: Float[np.ndarray, " base"], sd_bp: float) -> Float64[np.ndarray, " base"]:
    """The values of a whole contig, one per base, smoothed; both ends reflect."""
    kernel_radius(sd_bp)  # for its check: scipy takes sd 0 for no smoothing
    return ndimage.gaussian_filter1d(values, sd_bp, mode="reflect", truncate=TRUNCATE_SD, output=np.float64)


def smooth_places(
    places: Int64[np.ndarray, " place"],
    values: Float64[np.ndarray, " place"],
    at: Int64[np.ndarray, " site"],
    borders: Int64[np.ndarray, " contig+1"],
    sd_bp: float,
) -> Float64[np.ndarray, " site"]:
    """At the bases `at`, the smoothed coverage that a pass over the whole genome would give.

    Only what lies within 4 sd of those bases is looked at: as pairs of places where they are few, base by base where
    they are dense. Neither time nor memory has to do with the genome's length.

    Args:
        places: Genome-wide coordinates, strictly ascending.
        values: Coverage at `places`; it is 0 elsewhere.
        at: Genome-wide coordinates, ascending.
        borders: Where contigs start, and the last one's end; every coordinate lies between the first and the last.
        sd_bp: Standard deviation, > 0.
    """
    return _smooth_places(places, values, at, borders, gaussian_kernel(sd_bp))


@compiled
def _smooth_places(
    places: Int64[np.ndarray, " place"],
    values: Float64[np.ndarray, " place"],
    at: Int64[np.ndarray, " site"],
    borders: Int64[np.ndarray, " contig+1"],
    kernel: Float64[np.ndarray, " distance"],
) -> Float64[np.ndarray, " site"]:
    """Goes through `at` in tiles of one contig, each with the places [first, last) that reach it."""
    radius = len(kernel) - 1
    smoothed = np.zeros(len(at))
    contig, first, tile = 0, 0, 0
    while tile < len(at):
        while borders[contig + 1] <= at[tile]:
            contig += 1
        left, right = borders[contig], borders[contig + 1]
        tile_end = tile
        while tile_end < len(at) and at[tile_end] < min(right, at[tile] + TILE_BP):
            tile_end += 1
        while first < len(places) and places[first] < max(left, at[tile] - radius):
            first += 1
        last = first
        while last < len(places) and places[last] < min(right, at[tile_end - 1] + radius + 1):
            last += 1
        sites, near, nearby = at[tile:tile_end], places[first:last], values[first:last]
        reached = smoothed[tile:tile_end]
        span = sites[-1] - sites[0] + 1
        pairs = len(sites) * len(near) * (2 * radius + 1) / (span + 2 * radius)
        if right - left <= radius:
            _smooth_short_contig(near, nearby, sites, left, right, kernel, reached)
        elif pairs * PAIR_COST > span * (radius + 1):
            _smooth_bases(near, nearby, sites, left, right, kernel, reached)
        else:
            _smooth_pairs(near, nearby, sites, left, right, kernel, reached)
        tile = tile_end
    return smoothed


@compiled
def _smooth_pairs(
    places: Int64[np.ndarray, " place"],
    values: Float64[np.ndarray, " place"],
    sites: Int64[np.ndarray, " site"],
    left: int,
    right: int,
    kernel: Float64[np.ndarray, " distance"],
    smoothed: Float64[np.ndarray, " site"],
) -> None:
    """Fills in the smoothed coverage at `sites`, place by place within reach."""
    radius = len(kernel) - 1
    first = 0
    for site in range(len(sites)):
        x = sites[site]
        while first < len(places) and places[first] < x - radius:
            first += 1
        total = 0.0
        near = first
        while near < len(places) and places[near] - x <= radius:
            total += kernel[abs(places[near] - x)] * values[near]
            near += 1
        # A base's image beyond the left end of the contig lies as far to the left of it as the base to the right.
        image = first
        while image < near and (x - left) + (places[image] - left) + 1 <= radius:
            total += kernel[(x - left) + (places[image] - left) + 1] * values[image]
            image += 1
        image = near - 1
        while image >= first and (right - x) + (right - places[image]) - 1 <= radius:
            total += kernel[(right - x) + (right - places[image]) - 1] * values[image]
            image -= 1
        smoothed[site] = total


@compiled
def _smooth_bases(
    places: Int64[np.ndarray, " place"],
    values: Float64[np.ndarray, " place"],
    sites: Int64[np.ndarray, " site"],
    left: int,
    right: int,
    kernel: Float64[np.ndarray, " distance"],
    smoothed: Float64[np.ndarray, " site"],
) -> None:
    """Fills in the smoothed coverage at `sites`, base by base from the first of them to the last."""
    radius = len(kernel) - 1
    span = sites[-1] - sites[0] + 1
    start = sites[0] - radius
    bases = np.zeros(span + 2 * radius)
    for place in range(len(places)):
        bases[places[place] - start] = values[place]
        # Images beyond either end of the contig, where the tile reaches so far.
        for image in (2 * left - 1 - places[place], 2 * right - 1 - places[place]):
            if 0 <= image - start < len(bases):
                bases[image - start] = values[place]
    totals = kernel[0] * bases[radius : radius + span]
    for distance in range(1, radius + 1):
        before, behind = bases[radius - distance :], bases[radius + distance :]
        for base in range(span):  # in a row, without a sum across: the processor takes several at once
            totals[base] += kernel[distance] * (before[base] + behind[base])
    for site in range(len(sites)):
        smoothed[site] = totals[sites[site] - sites[0]]


@compiled
def _smooth_short_contig(
    places: Int64[np.ndarray, " place"],
    values: Float64[np.ndarray, " place"],
    sites: Int64[np.ndarray, " site"],
    left: int,
    right: int,
    kernel: Float64[np.ndarray, " distance"],
    smoothed: Float64[np.ndarray, " site"],
) -> None:
    """Fills in the smoothed coverage of a contig that is no longer than the radius: images have images."""
    radius = len(kernel) - 1
    period = 2 * (right - left)
    for site in range(len(sites)):
        total = 0.0
        for place in range(len(places)):
            for image in (places[place], 2 * left - 1 - places[place]):
                # The nearest copy at or above the site - radius, then every period.
                distance = (image - sites[site] + radius) % period - radius
                while distance <= radius:
                    total += kernel[abs(distance)] * values[place]
                    distance += period
        smoothed[site] = total
