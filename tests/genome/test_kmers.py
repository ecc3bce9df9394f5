import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.genome import encode, reverse_complement
from regact.genome.kmers import kmer_hashes

sequences = st.text(alphabet="ACGTN", max_size=80)


def canonical_kmers(text, k):
    """By the definition, as strings: the smaller of a k-mer and its reverse complement."""
    other = str.maketrans("ACGT", "TGCA")
    kmers = [text[i : i + k] for i in range(len(text) - k + 1)]
    return [min(kmer, kmer.translate(other)[::-1]) for kmer in kmers if "N" not in kmer]


@given(text=sequences, k=st.integers(1, 32))
def test_hashes_stand_one_for_one_for_canonical_kmers(text, k):
    hashes = kmer_hashes(encode(text), k).tolist()
    expected = canonical_kmers(text, k)
    assert len(hashes) == len(expected)
    assert len(set(zip(hashes, expected, strict=True))) == len(set(hashes)) == len(set(expected))


@given(text=sequences, k=st.integers(1, 32), one_in=st.integers(1, 9))
def test_both_strands_have_the_same_kmers(text, k, one_in):
    codes = encode(text)
    forward = kmer_hashes(codes, k, one_in=one_in)
    assert forward[::-1].tolist() == kmer_hashes(reverse_complement(codes), k, one_in=one_in).tolist()


def test_a_sample_is_of_the_wanted_size_and_the_same_for_all_sequences():
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 4, 200_000, dtype=np.uint8)
    sample = kmer_hashes(codes, 24, one_in=10)
    assert abs(len(sample) - 20_000) < 5 * np.sqrt(20_000)
    part = kmer_hashes(codes[50_000:60_000], 24, one_in=10)
    assert set(part.tolist()) <= set(sample.tolist())


def test_one_change_of_a_base_changes_k_kmers():
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 4, 1_000, dtype=np.uint8)
    changed = codes.copy()
    changed[500] = (changed[500] + 1) % 4
    differ = kmer_hashes(codes, 24) != kmer_hashes(changed, 24)
    assert differ.sum() == 24


@pytest.mark.parametrize(("k", "one_in"), [(0, 1), (33, 1), (24, 0)])
def test_sizes_out_of_range_are_refused(k, one_in):
    with pytest.raises(ValueError, match="needed k in"):
        kmer_hashes(encode("ACGT"), k, one_in=one_in)
