"""The same EM as `regact.reads.multimap.em`, read by read and base by base: what the fast one must equal.

Dense coverage of the whole genome, scipy's Gaussian on one contig after the other, a Python loop over reads and their
places. Written from the formulas, shares no code with the package.
"""

import math
from itertools import pairwise

import numpy as np
from scipy.ndimage import gaussian_filter1d


def plain_em(
    reads: list[list[tuple[int, float]]],
    borders: list[int],
    *,
    sd_bp: float,
    rounds: int,
    background: float = 0.01,
    exact: bool = False,
) -> tuple[list[list[float]], list[float], list[float]]:
    """Weights of every read's places, the mean change of a multi-mapped read per round, and the log-likelihoods.

    A read is a list of (place, likelihood). The log-likelihood is that of the exact model, at each round's rate, over
    all reads (of unique ones without their likelihoods); the heuristic's rate is judged by it too.
    """
    weights = [[likelihood / sum(likelihood for _, likelihood in read) for _, likelihood in read] for read in reads]
    multimapped = [(read, weight) for read, weight in zip(reads, weights, strict=True) if len(read) > 1]
    unique = np.zeros(borders[-1])
    for read in reads:
        if len(read) == 1:
            unique[read[0][0]] += 1
    latent = coverage = unique + _count(multimapped, borders[-1])
    changes, log_likelihoods = [], []
    for number in range(rounds):
        if exact and number > 0:
            seen = _smooth(latent, borders, sd_bp) + background
            latent = latent * _smooth(coverage / np.where(seen > 0, seen, 1), borders, sd_bp)
        elif not exact:
            latent = coverage
        rate = _smooth(latent, borders, sd_bp) + background
        change = 0.0
        log_likelihood = float(unique[unique > 0] @ np.log(rate[unique > 0])) - float(latent.sum())
        for read, weight in multimapped:
            joint = [likelihood * rate[place] for place, likelihood in read]
            total = sum(joint)
            log_likelihood += math.log(total)
            for number_of_place, share in enumerate(joint):
                change += abs(share / total - weight[number_of_place])
                weight[number_of_place] = share / total
        changes.append(change / len(multimapped))
        log_likelihoods.append(log_likelihood)
        coverage = unique + _count(multimapped, borders[-1])
    return weights, changes, log_likelihoods


def _count(reads: list[tuple[list[tuple[int, float]], list[float]]], total_bp: int) -> np.ndarray:
    coverage = np.zeros(total_bp)
    for read, weight in reads:
        for (place, _), share in zip(read, weight, strict=True):
            coverage[place] += share
    return coverage


def _smooth(values: np.ndarray, borders: list[int], sd_bp: float) -> np.ndarray:
    contigs = pairwise(borders)
    return np.concatenate([gaussian_filter1d(values[a:b], sd_bp, mode="reflect", truncate=4.0) for a, b in contigs])
