import shutil
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d

from regact.errors import DataError
from regact.genome import Genome, load_genome
from regact.reads import Alignments, count_places, read_bam
from regact.reads.bowtie2.aligner import align_reads
from regact.reads.gc_bias.content import fragment_gc
from regact.reads.gc_bias.fit import MAX_FACTOR, GcModel, fit_gc
from regact.reads.gc_bias.gc_profile import count_by_gc
from regact.reads.gc_bias.windows import MIN_WINDOWS, NO_BIN, WINDOW_BP, GcWindows, choose_windows, possible_gc
from regact.reads.layout import GenomeLayout
from regact.reads.multimap.sharing import share_reads
from regact.reads.presets import coverage_settings
from regact.simulation import LandscapeConfig, ReadsConfig, simulate_reads, write_landscape
from regact.simulation.landscape import RateConfig
from regact.simulation.reads_config import GcBiasConfig

LETTERS = np.frombuffer(b"ACGT", np.uint8)


@dataclass(frozen=True)
class Bases:
    """A genome whose GC wanders, on disk and as one array; the second contig is soft-masked throughout."""

    genome: Genome
    layout: GenomeLayout
    is_gc: np.ndarray

    def share(self, start: np.ndarray, length: np.ndarray) -> np.ndarray:
        before = np.concatenate([[0], np.cumsum(self.is_gc)])
        return (before[start + length] - before[start]) / length


@pytest.fixture(scope="module")
def bases(tmp_path_factory) -> Bases:
    rng = np.random.default_rng(7)
    lengths = {"a": 4_000_000, "b": 2_000_000}
    total = sum(lengths.values())
    wander = gaussian_filter1d(rng.normal(size=total // 100), 10)
    is_gc = rng.random(total) < 0.41 + 0.06 * np.repeat(wander / wander.std(), 100)
    letters = LETTERS[np.where(is_gc, rng.integers(1, 3, total), 3 * rng.integers(0, 2, total))].tobytes().decode()
    fasta = tmp_path_factory.mktemp("gc_bias") / "genome.fa"
    fasta.write_text(f">a\n{letters[:4_000_000]}\n>b\n{letters[4_000_000:].lower()}\n")
    return Bases(load_genome(fasta), GenomeLayout.from_lengths(lengths), is_gc)


def draw_fragments(bases: Bases, n_reads: int, kept, seed: int) -> Alignments:
    """Fragments anywhere, 200 bases long on average, of which the share kept(GC over all its bases) is kept."""
    rng = np.random.default_rng(seed)
    starts, lengths, found = [], [], 0
    while found < n_reads:
        length = np.clip(rng.normal(200, 30, 1_000_000), 60, 400).astype(np.int32)
        start = rng.integers(0, bases.layout.total_bp - length)
        in_one_contig = bases.layout.contig_of(start) == bases.layout.contig_of(start + length - 1)
        keep = in_one_contig & (rng.random(len(start)) < kept(bases.share(start, length)))
        starts, lengths, found = [*starts, start[keep]], [*lengths, length[keep]], found + int(keep.sum())
    return single_place(np.concatenate(starts)[:n_reads], np.concatenate(lengths)[:n_reads])


def single_place(start: np.ndarray, length: np.ndarray) -> Alignments:
    strand = np.ones(len(start), np.int8)
    return Alignments(np.arange(len(start) + 1), start + length // 2, start, length.astype(np.int32), strand)


def one_ended(bases: Bases, pairs: Alignments, length_bp: int) -> Alignments:
    """The pairs' reads on a strand drawn for each, extended to one length for all."""
    forward = np.random.default_rng(0).random(len(pairs)) < 0.5
    start = np.where(forward, pairs.start, pairs.start + pairs.length - length_bp)
    contig = bases.layout.contig_of(pairs.start)
    end = np.minimum(start + length_bp, bases.layout.offsets[contig + 1])
    start = np.maximum(start, bases.layout.offsets[contig])
    length, strand = (end - start).astype(np.int32), np.where(forward, 1, -1).astype(np.int8)
    return Alignments(pairs.offsets, start + length // 2, start, length, strand, extended=np.ones(len(start), np.bool_))


def in_windows(bases: Bases, alignments: Alignments, weight: np.ndarray) -> np.ndarray:
    counts = np.bincount(alignments.place // 1000, weights=weight, minlength=bases.layout.total_bp // 1000)
    return counts[: bases.layout.total_bp // 1000]


def decile_means(by: np.ndarray, values: np.ndarray) -> np.ndarray:
    tenths = np.array_split(values[np.argsort(by, kind="stable")], 10)
    return np.array([tenth.mean() for tenth in tenths]) / values.mean()


class TestKnownBias:
    @pytest.mark.parametrize(
        "kept",
        [
            pytest.param(lambda gc: np.minimum(1, np.exp(4 * (gc - 0.65))), id="rises"),
            pytest.param(lambda gc: np.minimum(1, np.exp(-6 * (gc - 0.2))), id="falls"),
            pytest.param(lambda gc: np.exp(-(((gc - 0.45) / 0.12) ** 2) / 2), id="hump"),
        ],
    )
    def test_is_removed(self, bases, kept):
        alignments = draw_fragments(bases, 1_000_000, kept, seed=5)
        gc, weight = fragment_gc(bases.genome, bases.layout, alignments), np.ones(len(alignments), np.float32)
        model = fit_gc(bases.genome, bases.layout, alignments, gc, weight)
        before = in_windows(bases, alignments, weight)
        after = in_windows(bases, alignments, weight * model.factors(gc, weight))
        by = bases.is_gc.reshape(-1, 1000).mean(axis=1)
        # By the count of their neighbours: windows chosen by their own count would be those that chance favoured.
        enough = gaussian_filter1d(before, 5) >= 50
        assert enough.mean() > 0.7
        by, before, after = by[enough], before[enough], after[enough]
        assert abs(np.corrcoef(by, after)[0, 1]) < 0.02
        assert np.abs(decile_means(by, after) - 1).max() < 0.02
        assert np.abs(decile_means(by, before) - 1).max() > 0.15
        # The curve is the bias itself.
        known = (model.gc > model.low) & (model.gc < model.high) & (model.bases > model.bases.max() / 20)
        ratio = model.curve[known] / kept(model.gc[known])
        np.testing.assert_allclose(ratio / ratio.mean(), 1, atol=0.04)

    def test_is_strong_in_the_first_place(self, bases):
        alignments = draw_fragments(bases, 600_000, lambda gc: np.minimum(1, np.exp(4 * (gc - 0.65))), seed=5)
        before = in_windows(bases, alignments, np.ones(len(alignments)))
        assert np.corrcoef(bases.is_gc.reshape(-1, 1000).mean(axis=1), before)[0, 1] > 0.3

    def test_is_removed_from_reads_that_show_one_end(self, bases):
        """Their fragments are 200 ± 30 bases long, but each is taken for 200."""
        pairs = draw_fragments(bases, 1_000_000, lambda gc: np.minimum(1, np.exp(8 * (gc - 0.65))), seed=12)
        reads, by = one_ended(bases, pairs, 200), bases.is_gc.reshape(-1, 1000).mean(axis=1)
        weight, left = np.ones(len(reads), np.float32), {}
        for extended in (reads.extended, None):
            reads = replace(reads, extended=extended)
            gc = fragment_gc(bases.genome, bases.layout, reads)
            model = fit_gc(bases.genome, bases.layout, reads, gc, weight)
            after = in_windows(bases, reads, weight * model.factors(gc, weight))
            left[extended is None] = np.corrcoef(by, after)[0, 1]
        assert abs(left[False]) < 0.02
        assert left[True] > 0.04  # what one length for all would leave

    def test_order_of_reads_changes_no_bit(self, bases):
        rng = np.random.default_rng(3)
        one = draw_fragments(bases, 50_000, lambda gc: np.minimum(1, np.exp(4 * (gc - 0.65))), seed=3)
        weight = rng.random(len(one), np.float32)
        order = rng.permutation(len(one))
        other = single_place(one.start[order], one.length[order])
        factors = []
        for alignments, shares in ((one, weight), (other, weight[order])):
            gc = fragment_gc(bases.genome, bases.layout, alignments)
            factors.append(fit_gc(bases.genome, bases.layout, alignments, gc, shares).factors(gc, shares))
        assert (factors[0][order] == factors[1]).all()

    def test_without_bias_little_is_changed(self, bases):
        alignments = draw_fragments(bases, 300_000, lambda gc: np.ones_like(gc), seed=6)
        gc, weight = fragment_gc(bases.genome, bases.layout, alignments), np.ones(len(alignments), np.float32)
        factors = fit_gc(bases.genome, bases.layout, alignments, gc, weight).factors(gc, weight)
        assert np.quantile(np.abs(factors - 1), 0.95) < 0.03

    def test_peaks_anywhere_do_not_bend_the_curve(self, bases):
        """Half of the fragments in peaks wherever: those on the GC kept best must not be the ones taken for peaks."""

        def kept(gc):
            return np.exp(-(((gc - 0.55) / 0.15) ** 2) / 2)

        rng = np.random.default_rng(21)
        background = draw_fragments(bases, 600_000, kept, seed=22)
        heights = np.exp(0.8 * rng.standard_normal(1_500))
        peaks = rng.choice(
            rng.integers(1_000, bases.layout.total_bp - 1_000, 1_500), 1_500_000, p=heights / heights.sum()
        )
        length = np.clip(rng.normal(200, 30, len(peaks)), 60, 400).astype(np.int32)
        start = peaks + np.rint(rng.normal(0, 80, len(peaks))).astype(np.int64) - length // 2
        inside = bases.layout.contig_of(start) == bases.layout.contig_of(start + length - 1)
        chosen = inside & (rng.random(len(start)) < kept(bases.share(start, length)))
        alignments = single_place(
            np.concatenate([background.start, start[chosen]]), np.concatenate([background.length, length[chosen]])
        )
        gc, weight = fragment_gc(bases.genome, bases.layout, alignments), np.ones(len(alignments), np.float32)
        model = fit_gc(bases.genome, bases.layout, alignments, gc, weight)
        assert model.left_out["peaks"] > 500
        common = model.bases > model.bases.max() / 20
        ratio = model.curve[common] / kept(model.gc[common])
        np.testing.assert_allclose(ratio / ratio.mean(), 1, atol=0.06)

    def test_peaks_rich_in_gc_are_no_bias(self, bases):
        """A fifth of the reads in the two hundred windows of the highest GC: biology, which must not be taken away."""
        rng = np.random.default_rng(8)
        background = draw_fragments(bases, 200_000, lambda gc: np.ones_like(gc), seed=9)
        by = bases.is_gc[: 3906 * WINDOW_BP].reshape(-1, WINDOW_BP).mean(axis=1)
        peaks = np.argsort(by)[-200:] * WINDOW_BP
        start = rng.choice(peaks, 50_000) + rng.integers(0, WINDOW_BP - 200, 50_000)
        start = np.concatenate([background.start, start])
        alignments = single_place(start, np.concatenate([background.length, np.full(50_000, 200)]))
        gc, weight = fragment_gc(bases.genome, bases.layout, alignments), np.ones(len(alignments), np.float32)
        model = fit_gc(bases.genome, bases.layout, alignments, gc, weight)
        assert model.left_out["peaks"] == 200
        common = model.bases > model.bases.max() / 50
        assert np.abs(model.curve[common] - 1).max() < 0.05


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("bowtie2") and shutil.which("samtools")), reason="needs bowtie2 and samtools")
def test_is_removed_from_simulated_reads_through_bowtie2(tmp_path):
    """One rate on every base, so that all that GC explains is bias; a tenth of the genome is repeats."""
    chromosomes = {"chr1": 3_000_000, "chr2": 1_000_000}
    every_family = LandscapeConfig().background
    few_copies = [family.model_copy(update={"share": family.share / 4}) for family in every_family.repeats]
    land_config = LandscapeConfig(
        seed=5,
        chromosomes=chromosomes,
        background=every_family.model_copy(update={"repeats": tuple(few_copies)}),
        rate=RateConfig(drift_sd=0, peaks_per_kb=0),
    )
    land = write_landscape(land_config, tmp_path / "landscape")
    config = ReadsConfig(seed=5, reads=480_000, gc_bias=GcBiasConfig(width=0.2))
    reads = simulate_reads(land / "genome.fa", land / "targets.txt", tmp_path / "reads", config)
    align_reads(reads / "rate_R1.fastq.gz", None, land / "genome.fa", tmp_path / "reads.bam", index_dir=tmp_path)
    genome, layout = load_genome(land / "genome.fa"), GenomeLayout.from_lengths(chromosomes)
    settings = coverage_settings("chip")
    found, _ = read_bam(tmp_path / "reads.bam", layout, settings)
    # Without peaks the strands of single-end reads say little of the length.
    alignments = count_places(found, layout, settings, fragment_bp=config.fragment.mean_bp)
    weight, gc = share_reads(alignments, layout, settings).weight, fragment_gc(genome, layout, alignments)
    corrected = weight * fit_gc(genome, layout, alignments, gc, weight).factors(gc, weight)
    profile = count_by_gc(genome, layout, alignments, weight, corrected)
    windows = profile.where(least_fragments=50)
    assert len(windows) > 0.99 * len(profile)
    assert windows.correlation(windows.before) > 0.3
    assert abs(windows.correlation(windows.after)) < 0.02
    _, before, after = windows.deciles()
    assert np.abs(before - 1).max() > 0.15
    assert np.abs(after - 1).max() < 0.02


@pytest.fixture(scope="module")
def patchy(tmp_path_factory) -> Genome:
    """40 windows; an N in the third, 2 bases too few for a 41st."""
    rng = np.random.default_rng(1)
    letters = bytearray(LETTERS[rng.integers(0, 4, 41 * WINDOW_BP - 2)].tobytes())
    letters[3 * WINDOW_BP - 1] = ord("N")
    fasta = tmp_path_factory.mktemp("patchy") / "genome.fa"
    fasta.write_text(f">a\n{letters.decode()}\n>short\nACGT\n")
    return load_genome(fasta)


class TestWindows:
    def test_without_n_and_multimapped_bases(self, patchy):
        layout = GenomeLayout.from_lengths(patchy.lengths)
        # Every 64th base is covered; in window 7 by reads that fit window 9 as well, in window 8 one base of 16.
        unique = np.concatenate(
            [np.arange(n * WINDOW_BP, (n + 1) * WINDOW_BP, 64) for n in range(40) if n not in (7, 9)]
        )
        shared = np.arange(7 * WINDOW_BP, 8 * WINDOW_BP, 64)
        pairs = np.stack([shared, shared + 2 * WINDOW_BP], axis=1).ravel()
        one = np.array([8 * WINDOW_BP, 20 * WINDOW_BP])
        place = np.concatenate([unique, pairs, one])
        sizes = [1] * len(unique) + [2] * (len(shared) + 1)
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        alignments = Alignments(offsets, place, place, np.ones(len(place), np.int32), np.ones(len(place), np.int8))
        windows = choose_windows(patchy, layout, alignments)
        left_out = {2, 7, 9}
        assert windows.starts.tolist() == [n * WINDOW_BP for n in range(40) if n not in left_out]
        assert (windows.n_tiled, windows.with_n, windows.multimapped) == (40, 1, 2)
        places = np.array([0, 1023, 2 * WINDOW_BP, 3 * WINDOW_BP, 40 * WINDOW_BP])
        assert windows.find(places).tolist() == [0, 0, -1, 2, -1]

    def test_possible_fragments_lie_around_every_eighth_base(self, patchy):
        layout = GenomeLayout.from_lengths(patchy.lengths)
        alignments = single_place(np.array([500]), np.array([301]))
        windows = GcWindows(np.array([0, 9 * WINDOW_BP]), 40, 0, 0)
        codes = patchy.contig("a")
        centres = windows.starts[:, None] + np.arange(4, WINDOW_BP, 8)
        shares = [[np.isin(codes[c - 150 : c + 151], (1, 2)).mean() if c >= 150 else 2 for c in row] for row in centres]
        expected = np.where(np.array(shares) > 1, NO_BIN, np.floor(np.array(shares) * 200))
        np.testing.assert_array_equal(possible_gc(patchy, layout, windows, alignments), expected)

    def test_too_few(self, tmp_path):
        fasta = tmp_path / "genome.fa"
        fasta.write_text(">a\n" + "ACGT" * (MIN_WINDOWS * WINDOW_BP // 4 - 1) + "\n")
        genome = load_genome(fasta)
        layout = GenomeLayout.from_lengths(genome.lengths)
        alignments = single_place(np.array([5]), np.array([4]))
        with pytest.raises(DataError, match=f"{MIN_WINDOWS - 1} windows of {WINDOW_BP} bp.*at least {MIN_WINDOWS}"):
            fit_gc(genome, layout, alignments, np.array([0.5], np.float32), np.ones(1, np.float32))

    def test_no_reads_in_any(self, patchy):
        layout = GenomeLayout.from_lengths(patchy.lengths)
        alignments = single_place(np.array([41 * WINDOW_BP - 2]), np.array([4]))
        with pytest.raises(DataError, match="0 reads"):
            fit_gc(patchy, layout, alignments, np.array([0.5], np.float32), np.ones(1, np.float32))

    def test_reads_in_one_window_only(self, patchy):
        layout = GenomeLayout.from_lengths(patchy.lengths)
        alignments = single_place(np.arange(200) * 4 + 10 * WINDOW_BP, np.full(200, 50))
        gc, weight = fragment_gc(patchy, layout, alignments), np.ones(200, np.float32)
        assert fit_gc(patchy, layout, alignments, gc, weight).left_out["peaks"] == 0


class TestFactors:
    gc = (np.arange(200) + 0.5) / 200
    model = GcModel(gc, np.full(200, 10), np.full(200, 2.0), np.exp(8 * (gc - 0.5)), 0.0, 1.0, 1, {})

    def test_are_the_inverse_of_the_curve_in_natural_logarithms(self):
        np.testing.assert_allclose(self.model.factor(np.array([0.4, 0.5, 0.55])), np.exp([0.8, 0, -0.4]), rtol=1e-12)
        assert self.model.factor(np.array([0.0, 1.0, np.nan])).tolist() == [MAX_FACTOR, 1 / MAX_FACTOR, 1]

    @given(st.lists(st.tuples(st.floats(0, 1, width=32), st.floats(0, 1, width=32)), min_size=1))
    def test_keep_the_total(self, drawn):
        gc, weight = np.array(drawn, np.float32).T
        corrected = (weight * self.model.factors(gc, weight)).sum(dtype=np.float64)
        assert corrected == pytest.approx(weight.sum(dtype=np.float64), rel=1e-6, abs=1e-6)

    def test_rate_is_relative_and_unknown_where_no_base_is(self):
        bases = np.where(self.gc < 0.5, 10, 0)
        model = GcModel(self.gc, bases, 3.0 * (bases > 0), np.ones(200), 0.0, 0.5, 1, {})
        assert (model.rate[bases > 0] == 1).all()
        assert np.isnan(model.rate[bases == 0]).all()
