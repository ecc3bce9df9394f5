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

    Each result is a sum over the places within 4 sd of it, so time follows the number of such pairs and memory the
    number of places; the genome's length enters in neither.

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
    radius = len(kernel) - 1
    smoothed = np.zeros(len(at))
    contig, first = 0, 0
    for site in range(len(at)):
        x = at[site]
        while borders[contig + 1] <= x:
            contig += 1
        left, right = borders[contig], borders[contig + 1]
        while first < len(places) and places[first] < max(left, x - radius):
            first += 1
        if right - left <= radius:
            smoothed[site] = _reflected_often(places, values, first, x, left, right, kernel)
            continue
        total = 0.0
        near = first
        while near < len(places) and places[near] < right and places[near] - x <= radius:
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
    return smoothed


@compiled
def _reflected_often(
    places: Int64[np.ndarray, " place"],
    values: Float64[np.ndarray, " place"],
    first: int,
    x: int,
    left: int,
    right: int,
    kernel: Float64[np.ndarray, " distance"],
) -> float:
    """The smoothed coverage at `x` of a contig that is no longer than the kernel's radius: images of images count."""
    radius = len(kernel) - 1
    period = 2 * (right - left)
    total = 0.0
    while first < len(places) and places[first] < right:
        y = places[first]
        weight = 0.0
        for image in (y, 2 * left - 1 - y):
            # The nearest copy at or above x - radius, then every period.
            distance = (image - x + radius) % period - radius
            while distance <= radius:
                weight += kernel[abs(distance)]
                distance += period
        total += weight * values[first]
        first += 1
    return total
