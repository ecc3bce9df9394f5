import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regact.reads.alignments import Alignments
from regact.reads.layout import GenomeLayout
from regact.reads.multimap.em import place_reads
from regact.reads.multimap.smoothing import gaussian_kernel

Reads = list[list[tuple[int, float]]]


@pytest.fixture(scope="module")
def plain_em():
    spec = importlib.util.spec_from_file_location("plain_em", Path(__file__).with_name("plain_em.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.plain_em


def alignments_of(reads: Reads, strands: list[list[int]] | None = None) -> tuple[Alignments, np.ndarray]:
    places = np.array([place for read in reads for place, _ in read], np.int64)
    likelihood = np.array([value for read in reads for _, value in read], np.float32)
    strand = np.ones(len(places)) if strands is None else np.concatenate(strands)
    offsets = np.concatenate([[0], np.cumsum([len(read) for read in reads])]).astype(np.int64)
    length = np.ones(len(places), np.int32)
    return Alignments(offsets, places, places.copy(), length, strand.astype(np.int8)), likelihood


def place(reads: Reads, layout: GenomeLayout, **settings):
    alignments, likelihood = alignments_of(reads)
    defaults = {"sd_bp": 4, "max_rounds": 5, "tolerance": 0.0, "likelihood": likelihood}
    return place_reads(alignments, layout, **(defaults | settings))


def rows_of(weight: np.ndarray, reads: Reads) -> list[np.ndarray]:
    return np.split(weight, np.cumsum([len(read) for read in reads])[:-1])


@st.composite
def genomes_with_reads(draw: st.DrawFn, *, max_contigs: int = 4, equal: bool = False):
    """A layout of short contigs and reads with 1 to 5 places, some of them alike, some with a place twice."""
    lengths = draw(st.lists(st.integers(1, 60), min_size=1, max_size=max_contigs))
    layout = GenomeLayout.from_lengths({f"c{number}": length for number, length in enumerate(lengths)})
    value = st.just(1.0) if equal else st.sampled_from([1.0, 0.25, 0.5])
    read = st.lists(st.tuples(st.integers(0, layout.total_bp - 1), value), min_size=1, max_size=5)
    reads = draw(st.lists(read, min_size=1, max_size=8))
    reads.append(draw(read.filter(lambda found: len(found) > 1)))
    return layout, reads + draw(st.lists(st.sampled_from(reads), max_size=6))


class TestAgainstThePlainOne:
    @settings(max_examples=60)
    @given(case=genomes_with_reads(), exact=st.booleans(), rounds=st.integers(0, 6), sd_bp=st.sampled_from([1.0, 4.0]))
    def test_weights_changes_and_likelihood(self, plain_em, case, exact, rounds, sd_bp):
        layout, reads = case
        weights, changes, log_likelihoods = plain_em(
            reads, layout.offsets.tolist(), sd_bp=sd_bp, rounds=rounds, exact=exact
        )
        found = place(reads, layout, sd_bp=sd_bp, max_rounds=rounds, exact=exact)
        np.testing.assert_allclose(found.weight, np.concatenate(weights), atol=1e-6)
        np.testing.assert_allclose(found.change, changes, rtol=1e-9, atol=1e-12)
        if exact:
            # Places out of reach of every multi-mapped read are left out: their likelihood takes the same steps.
            assert np.diff(found.log_likelihood).sum() <= np.diff(log_likelihoods).sum() + 1e-9
        else:
            assert found.log_likelihood == ()

    def test_exact_likelihood_of_connected_places(self, plain_em):
        layout = GenomeLayout.from_lengths({"a": 50, "b": 30})
        reads = [[(10, 1.0), (60, 0.5)], [(12, 1.0)], [(20, 1.0)], [(61, 1.0)], [(70, 1.0), (33, 1.0)]] * 3
        _, _, expected = plain_em(reads, layout.offsets.tolist(), sd_bp=4, rounds=20, exact=True)
        found = place(reads, layout, max_rounds=20, exact=True).log_likelihood
        np.testing.assert_allclose(found, expected, rtol=1e-12)

    def test_thousands_of_reads_on_two_strands(self, plain_em):
        rng = np.random.default_rng(0)
        layout = GenomeLayout.from_lengths({"a": 3000, "b": 2000})
        # Families of copies, as repeats are: the places of a read have the same offset in each.
        copies = [rng.choice(4800, size=n, replace=False) for n in (2, 3, 7)]
        reads, strands = [], []
        for _ in range(3000):
            family = copies[rng.integers(3)] if rng.random() < 0.4 else rng.choice(4800, size=1)
            reads.append([(int(copy), 1.0) for copy in family + rng.integers(150)])
            strands.append([int(s) for s in rng.choice([-1, 1], len(family))])
        two_strands = [
            [(place + (layout.total_bp if strand < 0 else 0), 1.0) for (place, _), strand in zip(r, s, strict=True)]
            for r, s in zip(reads, strands, strict=True)
        ]
        weights, changes, _ = plain_em(two_strands, [0, 3000, 5000, 8000, 10000], sd_bp=16, rounds=4)
        alignments, _ = alignments_of(reads, strands)
        found = place_reads(alignments, layout, sd_bp=16, max_rounds=4, tolerance=0, stranded=True)
        np.testing.assert_allclose(found.weight, np.concatenate(weights), atol=1e-6)
        np.testing.assert_allclose(found.change, changes, rtol=1e-9)


class TestClosedForms:
    """Two copies far apart, with 3 unique reads at one and 1 at the other, and 8 reads that fit both."""

    layout = GenomeLayout.from_lengths({"a": 1000})
    reads: Reads = [[(100, 1.0)]] * 3 + [[(700, 1.0)]] + [[(100, 1.0), (700, 1.0)]] * 8

    def test_no_round_leaves_equal_shares(self):
        found = place(self.reads, self.layout, max_rounds=0)
        assert (found.weight[:4] == 1).all()
        assert (found.weight[4:] == 0.5).all()
        assert (found.rounds, found.change, found.n_multimapped, found.converged) == (0, (), 8, False)

    def test_first_round(self):
        found = place(self.reads, self.layout, max_rounds=1, background=0.01)
        peak = gaussian_kernel(4)[0]
        share = (peak * (3 + 4) + 0.01) / (peak * (3 + 4 + 1 + 4) + 0.02)
        np.testing.assert_allclose(found.weight[4::2], share, atol=1e-7)
        assert found.change[0] == pytest.approx(2 * (share - 0.5))

    @pytest.mark.parametrize("exact", [False, True])
    def test_shares_end_in_the_ratio_of_unique_reads(self, exact):
        found = place(self.reads, self.layout, max_rounds=500, tolerance=1e-10, background=0.0, exact=exact)
        np.testing.assert_allclose(found.weight[4::2], 3 / 4, atol=1e-6)
        assert found.converged
        assert found.rounds < 500

    def test_likelihood_weighs_the_places(self):
        reads = [[(100, 1.0), (700, 0.125)]]
        np.testing.assert_allclose(place(reads, self.layout, max_rounds=0).weight, [8 / 9, 1 / 9], atol=1e-7)

    def test_neighbours_count_by_distance(self):
        # One unique read 4 bases from one place, one 8 bases from the other.
        reads = [[(104, 1.0)], [(708, 1.0)], [(100, 1.0), (700, 1.0)]]
        kernel = gaussian_kernel(4)
        near, far = kernel[4] + kernel[0] / 2, kernel[8] + kernel[0] / 2
        found = place(reads, self.layout, max_rounds=1, background=0.0)
        np.testing.assert_allclose(found.weight[2:], [near / (near + far), far / (near + far)], atol=1e-7)

    def test_stops_at_the_tolerance(self):
        found = place(self.reads, self.layout, max_rounds=100, tolerance=0.05)
        assert found.converged
        assert found.change[-1] < 0.05 <= found.change[-2]

    def test_unique_reads_alone(self):
        found = place([[(5, 1.0)], [(5, 1.0)]], self.layout)
        assert found.weight.tolist() == [1, 1]
        assert (found.n_multimapped, found.rounds, found.converged) == (0, 0, True)

    def test_no_reads(self):
        assert place([], self.layout).weight.shape == (0,)

    def test_a_read_without_a_place_weighs_nothing(self):
        found = place([[], [(5, 1.0), (9, 1.0)], []], self.layout)
        assert found.weight.sum() == 1


class TestProperties:
    @given(genomes_with_reads(), st.booleans())
    def test_every_read_keeps_its_whole_weight(self, case, exact):
        layout, reads = case
        found = place(reads, layout, exact=exact).weight
        assert found.dtype == np.float32
        assert all(row.sum(dtype=np.float64) == 1 for row in rows_of(found, reads))
        assert ((found >= 0) & (found <= 1)).all()

    @given(genomes_with_reads(), st.booleans(), st.randoms(use_true_random=False))
    def test_order_of_reads_and_places_changes_no_bit(self, case, exact, random):
        layout, reads = case
        before = rows_of(place(reads, layout, exact=exact).weight, reads)
        order = list(range(len(reads)))
        random.shuffle(order)
        within = [random.sample(range(len(reads[read])), len(reads[read])) for read in order]
        mixed = [[reads[read][number] for number in numbers] for read, numbers in zip(order, within, strict=True)]
        after = rows_of(place(mixed, layout, exact=exact).weight, mixed)
        for read, row in zip(order, after, strict=True):
            # Alignments to one place with one likelihood cannot be told apart; the rest of rounding goes to either.
            assert sorted(zip(reads[read], before[read], strict=True)) == sorted(
                zip(mixed[order.index(read)], row, strict=True)
            )

    @settings(max_examples=40)
    @given(genomes_with_reads(max_contigs=3), st.booleans())
    def test_a_contig_between_changes_nothing(self, case, exact):
        """The same reads with every contig far from the others: what contigs' borders let through would show."""
        layout, reads = case
        lengths, spacer = layout.lengths, 200
        spaced = {}
        for number, length in enumerate(lengths):
            spaced |= {f"c{number}": length, f"spacer{number}": spacer}
        moved = [
            [(p + spacer * (int(np.searchsorted(layout.offsets, p, "right")) - 1), value) for p, value in read]
            for read in reads
        ]
        here = place(reads, layout, exact=exact)
        there = place(moved, GenomeLayout.from_lengths(spaced), exact=exact)
        assert (here.weight == there.weight).all()
        assert here.change == there.change

    @given(genomes_with_reads(), st.sampled_from([0.0, 0.01]), st.sampled_from([1.0, 6.0]))
    def test_exact_likelihood_never_falls(self, case, background, sd_bp):
        layout, reads = case
        found = place(reads, layout, exact=True, max_rounds=25, background=background, sd_bp=sd_bp)
        log_likelihood = np.array(found.log_likelihood)
        assert len(log_likelihood) == found.rounds
        assert (np.diff(log_likelihood) >= -1e-9 * np.abs(log_likelihood[1:])).all()

    def test_smoothed_likelihood_can_fall(self, plain_em):
        """Why there is an exact variant."""
        reads = [[(25, 1.0)], [(28, 1.0)], [(11, 1.0)], [(52, 1.0)], [(21, 1.0), (8, 1.0)]]
        _, _, falling = plain_em(reads, [0, 60], sd_bp=4, rounds=12)
        _, _, rising = plain_em(reads, [0, 60], sd_bp=4, rounds=12, exact=True)
        assert np.diff(falling).min() < -1e-3
        assert np.diff(rising).min() > 0
        assert rising[-1] > falling[-1]


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("sd_bp", [1, 4])
def test_without_background_nothing_is_expected_where_all_reads_have_left(exact, sd_bp):
    rng = np.random.default_rng(0)
    reads = [[(int(x), 1.0) for x in rng.integers(0, 100_000, 1 + number % 2)] for number in range(2_000)]
    layout = GenomeLayout.from_lengths({"c": 100_000})
    found = place(reads, layout, background=0.0, exact=exact, sd_bp=sd_bp, max_rounds=2_000)
    assert found.weight.sum() == len(reads)
    assert np.isfinite(found.log_likelihood).all()


class TestStrands:
    def test_the_other_strand_is_another_genome(self):
        layout = GenomeLayout.from_lengths({"a": 1000})
        reads = [[(100, 1.0)]] * 9 + [[(100, 1.0), (700, 1.0)]]
        alignments, _ = alignments_of(reads, [[-1]] * 9 + [[1, 1]])
        shared = {"sd_bp": 4, "max_rounds": 10, "tolerance": 0}
        assert place_reads(alignments, layout, **shared).weight[-2] > 0.9
        assert (place_reads(alignments, layout, stranded=True, **shared).weight[-2:] == 0.5).all()


class TestCeiling:
    layout = GenomeLayout.from_lengths({"a": 2000})

    def test_a_tower_attracts_as_one_read_does(self):
        others: Reads = [[(700 + 3 * number, 1.0)] for number in range(-4, 5)] + [[(100, 1.0), (700, 1.0)]]
        tower = place([[(100, 1.0)]] * 500 + others, self.layout, ceiling=8)
        single = place([[(100, 1.0)], *others], self.layout, ceiling=8)
        assert tower.weight[-2:].tolist() == single.weight[-2:].tolist()
        assert tower.weight[-2] < 0.25
        assert place([[(100, 1.0)]] * 500 + others, self.layout).weight[-2] > 0.99

    def test_without_towers_it_changes_nothing(self):
        reads: Reads = [[(100 + number, 1.0)] for number in range(40)] + [[(120, 1.0), (700, 1.0)]]
        np.testing.assert_array_equal(place(reads, self.layout, ceiling=50).weight, place(reads, self.layout).weight)


class TestErrors:
    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"sd_bp": 0}, "standard deviation"),
            ({"max_rounds": -1}, "max_rounds"),
            ({"tolerance": float("nan")}, "tolerance"),
            ({"background": -0.1}, "background"),
            ({"ceiling": 0}, "at most 0 reads a base"),
            ({"ceiling": 4, "exact": True}, "exclude each other"),
            ({"likelihood": np.array([0, 0], np.float32)}, "likelihoods"),
            ({"likelihood": np.array([1, np.nan], np.float32)}, "likelihoods"),
            ({"likelihood": np.array([2, -1], np.float32)}, "likelihoods"),
        ],
    )
    def test_wrong_arguments(self, wrong, message):
        with pytest.raises(ValueError, match=message):
            place([[(10, 1.0), (50, 1.0)]], GenomeLayout.from_lengths({"a": 100}), **wrong)


def test_memory_does_not_follow_the_genome():
    """Few reads on 3 Gb of contigs, in a process of its own."""
    program = """
import re
from pathlib import Path
import numpy as np
from regact.reads.alignments import Alignments
from regact.reads.multimap.clip import clip_factors
from regact.reads.layout import GenomeLayout
from regact.reads.multimap.em import place_reads
layout = GenomeLayout.from_lengths({f"chr{number}": 120_000_000 for number in range(25)})
place = np.random.default_rng(0).integers(0, layout.total_bp, 20_000)
alignments = Alignments(np.arange(0, 20_001, 10), place, place, np.ones(20_000, np.int32), np.ones(20_000, np.int8))
for exact in (False, True):
    weight = place_reads(alignments, layout, sd_bp=16, max_rounds=3, tolerance=0, exact=exact).weight
clip_factors(alignments, weight, layout, sd_bp=16, ceiling=9)
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""
    if not Path("/proc/self/status").exists():
        pytest.skip("no /proc to read a process's peak memory from")
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) < 1_000_000  # KB; most of it is numba and what else is imported
