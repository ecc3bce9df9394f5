"""A genome put together from some of its stretches."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.errors import FormatError
from regact.genome import Interval, KnownParts, encode, load_genome, open_known_parts

LENGTHS = {"a": 30, "b": 7}


@given(
    places=st.lists(st.tuples(st.sampled_from("ab"), st.integers(-4, 30), st.integers(0, 12)), max_size=6),
    seed=st.integers(0, 99),
)
def test_what_was_put_is_there_and_all_else_is_n(tmp_path_factory, places, seed):
    folder = tmp_path_factory.mktemp("parts")
    rng = np.random.default_rng(seed)
    true = {name: rng.integers(0, 4, length).astype(np.uint8) for name, length in LENGTHS.items()}
    expected = {name: np.full(length, 4, np.uint8) for name, length in LENGTHS.items()}
    parts = KnownParts(folder, LENGTHS)
    parts.lay_out()
    for chrom, start, length in places:
        inside = np.arange(start, start + length)
        known = (inside >= 0) & (inside < LENGTHS[chrom])
        codes = np.where(known, true[chrom][np.clip(inside, 0, LENGTHS[chrom] - 1)], 4).astype(np.uint8)
        pickle.loads(pickle.dumps(parts)).put(Interval(chrom, start, start + length), codes)
        expected[chrom][inside[known]] = codes[known]
    genome = parts.finish()
    for chrom, codes in expected.items():
        np.testing.assert_array_equal(genome.contig(chrom), codes)
        in_runs = np.zeros(len(codes), bool)
        for first, last in genome.n_runs(chrom):
            in_runs[first:last] = True
        np.testing.assert_array_equal(in_runs, codes == 4)


def test_a_genome_known_in_full_is_the_fasta(tmp_path):
    text = {"a": "ACGTNNAC", "b": "TTTT"}
    (tmp_path / "x.fa").write_text("".join(f">{name}\n{bases}\n" for name, bases in text.items()))
    parts = KnownParts(tmp_path / "parts", {name: len(bases) for name, bases in text.items()})
    parts.lay_out()
    for name, bases in text.items():
        parts.put(Interval(name, 0, len(bases)), encode(bases))
    parts.lay_out()  # what is there stays
    genome, fasta = parts.finish(), load_genome(tmp_path / "x.fa")
    assert genome.checksum == fasta.checksum == open_known_parts(tmp_path / "parts").checksum
    assert genome.n_runs("a").tolist() == fasta.n_runs("a").tolist() == [[4, 6]]


def test_bases_beyond_a_contig_and_folders_that_are_not_whole(tmp_path):
    parts = KnownParts(tmp_path / "parts", LENGTHS)
    with pytest.raises(FormatError, match="its sequences cannot be read"):
        open_known_parts(tmp_path / "parts")
    parts.lay_out()
    with pytest.raises(ValueError, match="bases beyond the ends of b"):
        parts.put(Interval("b", 5, 9), encode("ACGN"))
    parts.finish()
    (tmp_path / "parts" / "codes.u8").write_bytes(b"")
    with pytest.raises(FormatError, match="its sequences are not whole"):
        open_known_parts(tmp_path / "parts")
