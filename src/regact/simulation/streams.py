"""Streams of random numbers, one for each part of a simulation, so that no part depends on the size of another."""

import numpy as np

# What a stream is for; with the number of the contig, track or sample it makes the stream's key.
REPEATS, SEQUENCE, COUNTS, FRAGMENTS, SEQUENCING, LANDSCAPE = range(6)


def random_stream(seed: int, *key: int) -> np.random.Generator:
    """Return the random numbers of one part: the same for the same seed and key, on any machine."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))
