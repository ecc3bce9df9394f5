import numpy as np
import pandas as pd
import pytest

from regact.dataset.leakage import K, index_kmers, kmer_similarity, shared_bases
from regact.genome import Interval, decode, encode, reverse_complement
from regact.genome.kmers import kmer_hashes

SPLITS = ("train", "train", "valid", "test", "test")


def random_text(rng, length):
    return "".join(rng.choice(list("ACGT"), length))


def by_definition(window, training):
    """Share of the window's distinct canonical k-mers in training, and the most that one text of it holds."""

    def kmers(text):
        found = (text[i : i + K] for i in range(len(text) - K + 1))
        return {min(kmer, decode(reverse_complement(encode(kmer)))) for kmer in found if "N" not in kmer}

    own, pieces = kmers(window), [kmers(text) for text in training]
    return len(own & set().union(*pieces)) / len(own), max(len(own & piece) for piece in pieces) / len(own)


@pytest.fixture(scope="module")
def related(make_store):
    """Five windows: the third holds 100 bp of the first, turned; the fourth is the second; the fifth is new."""
    rng = np.random.default_rng(4)
    first, second, third, fifth = (random_text(rng, 256) for _ in range(4))
    turned = decode(reverse_complement(encode(first[40:140])))
    third = third[:50] + turned + third[150:]
    windows = [first, second, third, second, fifth]
    store, genome = make_store(sequences={"chr1": "".join(windows)}, splits=SPLITS)
    return store, genome, windows


def test_similarity_is_the_share_of_kmers_in_common(related):
    store, genome, windows = related
    table = kmer_similarity(store, genome)
    assert table["row"].tolist() == [2, 3, 4]
    assert table["split"].tolist() == ["valid", "test", "test"]
    for row, shared, nearest_shared in table[["row", "shared", "nearest_shared"]].itertuples(index=False):
        # The training windows touch, so the k-mers across their border are training sequence too.
        training = [windows[0] + windows[1][: K - 1], windows[1]]
        expected = by_definition(windows[row], training)
        assert (shared, nearest_shared) == pytest.approx(expected)
    assert table["shared"].tolist() == pytest.approx([77 / 233, 1.0, 0.0])
    assert table["nearest"].tolist() == ["chr1:1-279", "chr1:257-512", ""]


def test_a_sample_estimates_the_share_without_bias():
    rng = np.random.default_rng(5)
    text = random_text(rng, 60_000)
    half = text[:30_000] + random_text(rng, 30_000)

    class OneContig:
        def fetch(self, interval):
            return encode(text)[interval.start : interval.end]

    index = index_kmers(OneContig(), [Interval("chr1", 0, 60_000)], piece_bp=10_000, max_kmers=6_000)
    assert index.one_in == 11
    assert len(index.hashes) == pytest.approx(60_000 / 11, rel=0.1)
    from_all = index_kmers(OneContig(), [Interval("chr1", 0, 60_000)], piece_bp=10_000)
    assert from_all.one_in == 1
    assert len(from_all.hashes) == 60_000 - K + 1  # none lost or doubled at the cuts
    hashes = np.unique(kmer_hashes(encode(half), K, one_in=index.one_in))
    share, nearest_share, nearest = index.compare(hashes)
    assert share == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(len(hashes)))
    assert nearest_share == pytest.approx(1 / 6, abs=0.03)
    assert nearest.start in (0, 10_000, 20_000)


def test_a_window_of_n_has_no_similarity(make_store):
    rng = np.random.default_rng(6)
    store, genome = make_store(sequences={"chr1": random_text(rng, 256) + "N" * 256}, splits=("train", "test"))
    (row,) = kmer_similarity(store, genome).to_dict("records")
    assert row["kmers"] == 0
    assert np.isnan(row["shared"])
    assert row["nearest"] == ""


def test_bases_in_two_splits_are_counted_also_where_only_shifts_reach_them(make_store, monkeypatch):
    store, _ = make_store(splits=("train", "valid", "test"))
    windows = pd.DataFrame(
        {"chrom": ["chr1"] * 3, "start": [0, 200, 460], "end": [256, 456, 716], "split": ["train", "valid", "test"]}
    )
    monkeypatch.setitem(store.__dict__, "windows", windows)
    table = shared_bases(store).set_index(["split", "other"])
    assert table["shared_bp"].tolist() == [56, 0, 0]
    assert table["shared_shifted_bp"].tolist() == [62, 0, 2]
