"""Real yeast pairs through both steps, against the coverage that other tools made of the same sample."""

import itertools
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from regact.genome import Genome, load_genome
from regact.reads import (
    Alignments,
    GenomeLayout,
    align_reads,
    count_places,
    cover_sample,
    coverage_settings,
    read_bam,
    share_reads,
)
from regact.reads.gc_bias.content import fragment_gc
from regact.reads.gc_bias.fit import fit_gc
from regact.reads.gc_bias.gc_profile import GcProfile, count_by_gc
from regact.reads.genome_bins import GenomeBins
from regact.tracks import open_signal

pytestmark = [
    pytest.mark.data,
    pytest.mark.slow,
    pytest.mark.skipif(not (shutil.which("bowtie2") and shutil.which("samtools")), reason="needs bowtie2 and samtools"),
]

# As the other tools counted: whole fragments, GC left alone.
SETTINGS = coverage_settings("chip", count="fragment", gc=False)
RDNA = ("XII", 450_000, 492_000)
GIVEN_BIN_BP = 10


@dataclass(frozen=True)
class Yeast:
    """The sample, its alignments on the nuclear genome and elsewhere, and each place's share of its pair."""

    genome: Genome
    layout: GenomeLayout
    bam: Path
    alignments: Alignments
    weight: np.ndarray

    @property
    def multimapped(self) -> np.ndarray:
        sizes = np.diff(self.alignments.offsets)
        return np.repeat(sizes > 1, sizes)


@pytest.fixture(scope="module")
def yeast(data_dir, tmp_path_factory) -> Yeast:
    folder, reads = tmp_path_factory.mktemp("yeast"), data_dir / "yeast" / "reads"
    genome = load_genome(data_dir / "yeast" / "genome.fa.gz", cache_dir=folder)
    mates = [reads / f"input_rep1_R{mate}.fastq.gz" for mate in (1, 2)]
    sample = align_reads(*mates, genome, folder / "input.bam", index_dir=folder)
    assert sample.reads == 100_000
    assert sample.rate == pytest.approx(0.942, abs=0.002)
    layout = GenomeLayout.from_lengths(genome.lengths)
    alignments = count_places(read_bam(sample.bam, layout, SETTINGS)[0], layout, SETTINGS)
    return Yeast(genome, layout, sample.bam, alignments, share_reads(alignments, layout, SETTINGS).weight)


def nuclear_windows(layout: GenomeLayout, window_bp: int) -> np.ndarray:
    """Which of the windows lie neither in the mitochondrion nor in ribosomal DNA."""
    bins = GenomeBins(layout, window_bp)
    kept = np.ones(len(bins), np.bool_)
    mito, twelve = (layout.names.index(name) for name in ("Mito", RDNA[0]))
    kept[bins.first[mito] : bins.first[mito + 1]] = False
    kept[bins.first[twelve] + RDNA[1] // window_bp : bins.first[twelve] + -(-RDNA[2] // window_bp)] = False
    return kept


def whole_bins_of_ten(yeast: Yeast) -> Alignments:
    """Fragments as bamCoverage counts them: every bin of 10 bp that one touches counts for all its bases."""
    alignments, offsets = yeast.alignments, yeast.layout.offsets
    contig = yeast.layout.contig_of(alignments.start)
    start = alignments.start - offsets[contig]
    end = -(-(start + alignments.length) // GIVEN_BIN_BP) * GIVEN_BIN_BP
    end = np.minimum(end, np.array(yeast.layout.lengths)[contig])
    start = start // GIVEN_BIN_BP * GIVEN_BIN_BP
    return replace(alignments, start=start + offsets[contig], length=(end - start).astype(np.int32))


def covered_bases(yeast: Yeast, alignments: Alignments, weight: np.ndarray, bin_bp: int) -> np.ndarray:
    """Covered bases of each bin: from a fragment's start to its end, counted base by base."""
    change = np.zeros(yeast.layout.total_bp + 1)
    np.add.at(change, alignments.start, weight)
    np.add.at(change, alignments.start + alignments.length, -weight)
    coverage = np.cumsum(change)[:-1]
    offsets = yeast.layout.offsets.tolist()
    contigs = [coverage[first:end] for first, end in itertools.pairwise(offsets)]
    return np.concatenate([bases[: len(bases) // bin_bp * bin_bp].reshape(-1, bin_bp).sum(axis=1) for bases in contigs])


def test_agrees_with_the_coverage_of_other_tools(yeast, data_dir, tmp_path):
    bins = GenomeBins(yeast.layout, 128)
    cover_sample(yeast.bam, yeast.genome, tmp_path / "ours.bw", SETTINGS)
    ours = bins.sums_of(open_signal(tmp_path / "ours.bw"))
    theirs = bins.sums_of(open_signal(data_dir / "yeast" / "tracks" / "Spt5ChIP_INPUT_rep1.bw"))
    theirs /= 1e9 / GIVEN_BIN_BP / 94_222  # reads per kilobase and million of 94,222 pairs
    nuclear = nuclear_windows(yeast.layout, 128)
    assert np.corrcoef(ours[nuclear], theirs[nuclear])[0, 1] > 0.965

    # Away from multi-mapped reads all is the same but their bins of 10 bp.
    several = covered_bases(yeast, whole_bins_of_ten(yeast), yeast.multimapped.astype(float), 128) > 0
    alone = nuclear & ~several
    assert alone.mean() > 0.9
    assert np.corrcoef(ours[alone], theirs[alone])[0, 1] > 0.998
    rounded = covered_bases(yeast, whole_bins_of_ten(yeast), yeast.weight, 128)
    assert rounded[alone].sum() == pytest.approx(theirs[alone].sum(), rel=0.001)
    assert np.isclose(rounded[alone], theirs[alone], atol=1.5).mean() > 0.995

    # Reads of repeats: shared out by us, each at one place there.
    unique = covered_bases(yeast, yeast.alignments, yeast.weight * ~yeast.multimapped, 128)
    assert np.corrcoef(unique[nuclear], theirs[nuclear])[0, 1] < 0.9
    rdna = ~nuclear_windows(yeast.layout, 128)
    assert ours[rdna].sum() / ours.sum() == pytest.approx(theirs[rdna].sum() / theirs.sum(), abs=0.001)


def test_gc_explains_nothing_any_more(yeast):
    """But for ribosomal and mitochondrial DNA, whose many copies are no bias."""
    gc = fragment_gc(yeast.genome, yeast.layout, yeast.alignments)
    model = fit_gc(yeast.genome, yeast.layout, yeast.alignments, gc, yeast.weight)
    corrected = yeast.weight * model.factors(gc, yeast.weight)
    profile = count_by_gc(yeast.genome, yeast.layout, yeast.alignments, yeast.weight, corrected)
    nuclear = nuclear_windows(yeast.layout, 1_000)
    kept = GcProfile(profile.gc[nuclear], profile.before[nuclear], profile.after[nuclear])
    assert kept.correlation(kept.before) > 0.4
    assert abs(kept.correlation(kept.after)) < 0.02
    assert profile.correlation(profile.after) > 0.05
    # Windows without multi-mapped reads have some 7,800 reads a tenth: chance makes 1.1 % of them.
    several = count_by_gc(yeast.genome, yeast.layout, yeast.alignments, yeast.multimapped.astype(float), corrected)
    alone = nuclear & (several.before == 0)
    _, before, after = GcProfile(profile.gc[alone], profile.before[alone], profile.after[alone]).deciles()
    assert np.abs(before - 1).max() > 0.25
    assert np.abs(after - 1).max() < 0.02
