import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regact.genome import Genome, load_genome
from regact.reads.alignments import Alignments
from regact.reads.gc_bias.content import LENGTH_SPREAD, fragment_gc, gc_shares, length_taper
from regact.reads.layout import GenomeLayout

SEQUENCES = {"a": "ACGTNacgtRGGGCCCATATNNNN", "b": "gcgcATAT", "c": "NNNN"}


@pytest.fixture(scope="module")
def genome(tmp_path_factory) -> Genome:
    fasta = tmp_path_factory.mktemp("gc") / "genome.fa"
    fasta.write_text("".join(f">{name}\n{bases}\n" for name, bases in SEQUENCES.items()))
    return load_genome(fasta)


@pytest.fixture(scope="module")
def layout(genome) -> GenomeLayout:
    return GenomeLayout.from_lengths(genome.lengths)


def share(name: str, start: int, length: int) -> float:
    bases = SEQUENCES[name][start : start + length].upper()
    known = sum(bases.count(base) for base in "ACGT")
    return (bases.count("G") + bases.count("C")) / known if known else float("nan")


class TestShares:
    @given(
        st.lists(
            st.sampled_from(list(SEQUENCES)).flatmap(
                lambda name: st.tuples(st.just(name), st.integers(0, len(SEQUENCES[name])), st.integers(0, 30))
            ),
            max_size=8,
        )
    )
    def test_equal_counting_letters(self, genome, layout, stretches):
        stretches = [(name, start, min(n, len(SEQUENCES[name]) - start)) for name, start, n in stretches]
        stretches = [(name, start, n) for name, start, n in stretches if n]
        first = dict(zip(layout.names, layout.offsets.tolist(), strict=False))
        starts = np.array([first[name] + start for name, start, _ in stretches], np.int64)
        lengths = np.array([length for *_, length in stretches], np.int32)
        expected = np.array([share(*stretch) for stretch in stretches], np.float32)
        np.testing.assert_array_equal(gc_shares(genome, layout, starts, lengths), expected)

    def test_lower_case_counts_and_n_does_not(self, genome, layout):
        shares = gc_shares(genome, layout, np.array([24, 4, 20]), np.array([8, 1, 4]))
        assert shares[0] == 0.5
        assert np.isnan(shares[1:]).all()

    def test_of_fragments(self, genome, layout):
        start = np.array([24, 0], np.int64)
        alignments = Alignments(np.array([0, 1, 2]), start + 3, start, np.array([4, 4], np.int32), np.ones(2, np.int8))
        assert fragment_gc(genome, layout, alignments).tolist() == [1, 0.5]

    @pytest.mark.parametrize(("start", "length"), [(-1, 1), (36, 1), (20, 5), (3, -1)])
    def test_beyond_a_contig(self, genome, layout, start, length):
        with pytest.raises(ValueError, match=r"beyond|start at"):
            gc_shares(genome, layout, np.array([start]), np.array([length]))


class TestOneEnd:
    """Single-end reads: the mean over the lengths that their fragments may have."""

    def test_equals_a_loop_over_lengths(self, tmp_path):
        rng = np.random.default_rng(2)
        bases = "".join(rng.choice(list("ACGTgcN"), 3_000))
        (tmp_path / "genome.fa").write_text(f">a\n{bases[:1_800]}\n>b\n{bases[1_800:]}\n")
        genome = load_genome(tmp_path / "genome.fa")
        layout = GenomeLayout.from_lengths(genome.lengths)
        start = np.array([300, 700, 1_750, 1_800, 2_500, 2_950])
        length = np.array([100, 100, 50, 100, 73, 50], np.int32)
        strand = np.array([1, -1, 1, -1, 1, 1], np.int8)
        extended = np.array([True, True, True, True, False, True])
        alignments = Alignments(np.arange(7), start, start, length, strand, extended=extended)
        lengths = np.arange(50, 151)
        chance = np.exp(-(((lengths - 100) / (100 * LENGTH_SPREAD)) ** 2) / 2)
        found = fragment_gc(genome, layout, alignments)
        for gc, *fragment in zip(found, start, length, strand, extended, strict=True):
            assert gc == pytest.approx(self.mean_share(bases, *fragment, lengths, chance), abs=1e-6)

    @staticmethod
    def mean_share(bases, start, length, strand, is_extended, lengths, chance) -> float:
        """Known bases of each length count for 1 / length, whether the contig (it ends at 1,800) holds all or not."""
        first, last = (0, 1_800) if start < 1_800 else (1_800, 3_000)
        of_gc = known = 0.0
        for bp, weight in zip(lengths, chance, strict=True) if is_extended else [(length, 1)]:
            left = start if strand > 0 else start + length - bp
            part = bases[max(left, first) : min(left + bp, last)].upper()
            of_gc += weight * (part.count("G") + part.count("C")) / bp
            known += weight * (len(part) - part.count("N")) / bp
        return of_gc / known

    @given(st.integers(1, 2_000))
    def test_taper_is_a_mean_that_only_falls(self, length_bp):
        taper = length_taper(length_bp)
        assert taper.sum() == pytest.approx(1)
        assert (np.diff(taper) <= 0).all()
        assert np.arange(len(taper)) @ taper == pytest.approx((length_bp - 1) / 2, abs=0.5)
