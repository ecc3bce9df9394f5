"""Canonical k-mers of a sequence as hashes, and a sample of them that any two sequences agree on."""

import numpy as np
from jaxtyping import Bool, UInt8, UInt64

MAX_K = 32  # two bits a base in 64


def kmer_hashes(codes: UInt8[np.ndarray, " position"], k: int, *, one_in: int = 1) -> UInt64[np.ndarray, " kmer"]:
    """Hashes of the sequence's k-mers in order, with repeats; a k-mer and its reverse complement have the same hash.

    K-mers that hold an N are left out. The hash is a bijection of the k-mer (splitmix64's finaliser), so that different
    k-mers never share one. `one_in=s` keeps those hashes that lie in the lowest 1/s of their range: a sample that every
    sequence holding the k-mer makes alike, by which shares of k-mers in common are estimated without bias
    (FracMinHash; Irber et al. 2022, doi:10.1101/2022.01.11.475838).

    Raises:
        ValueError: `k` is not in 1..32, or `one_in` is below 1.
    """
    if not 1 <= k <= MAX_K or one_in < 1:
        raise ValueError(f"k {k}, one_in {one_in}; needed k in 1..{MAX_K}, one_in >= 1")
    if len(codes) < k:
        return np.empty(0, np.uint64)
    bases = np.where(codes < 4, codes, 0).astype(np.uint64)
    canonical = np.minimum(_words(bases, k), _words_of_other_strand(bases, k))
    hashes = _mix(canonical[_without_n(codes, k)])
    return hashes if one_in == 1 else hashes[hashes < np.uint64(2**64 // one_in)]


def _words(bases: UInt64[np.ndarray, " position"], k: int) -> UInt64[np.ndarray, " kmer"]:
    """Each k-mer as a number, its first base in the highest two bits."""
    # Words of 1, 2, 4, ... bases, each from two of the former; those that k is made of are strung together.
    word, n_word, whole, n_whole = bases, 1, None, 0
    while True:
        if k & n_word:
            whole, n_whole = _join(whole, n_whole, word, n_word), n_whole + n_word
        if n_whole == k and whole is not None:
            return whole
        word, n_word = _join(word, n_word, word, n_word), 2 * n_word


def _join(
    left: UInt64[np.ndarray, " position"] | None, n_left: int, right: UInt64[np.ndarray, " position"], n_right: int
) -> UInt64[np.ndarray, " position"]:
    """At each position the word of `n_left` bases and after it the word of `n_right` bases."""
    if left is None:
        return right
    right = right[n_left:]
    return (left[: len(right)] << np.uint64(2 * n_right)) | right


def _words_of_other_strand(bases: UInt64[np.ndarray, " position"], k: int) -> UInt64[np.ndarray, " kmer"]:
    """The number of each k-mer's reverse complement."""
    return _words(np.uint64(3) - bases[::-1], k)[::-1]


def _without_n(codes: UInt8[np.ndarray, " position"], k: int) -> Bool[np.ndarray, " kmer"]:
    n_before = np.concatenate([[0], np.cumsum(codes > 3)])
    return n_before[k:] == n_before[:-k]


def _mix(words: UInt64[np.ndarray, " kmer"]) -> UInt64[np.ndarray, " kmer"]:
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        words = (words ^ (words >> np.uint64(shift))) * np.uint64(factor)  # modulo 2^64
    return words ^ (words >> np.uint64(31))
