"""Errors inside repeats by hand; and simulated reads through Bowtie2 and back, where EM has to be nearest."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from regact.genome import load_genome
from regact.genome.bed import read_bed_rows
from regact.reads import GenomeLayout, align_reads, count_places, coverage_settings, read_bam, share_reads
from regact.reads.genome_bins import GenomeBins
from regact.reads.truth.repeat_error import compare_errors, family_errors
from regact.reads.truth.repeat_families import families_of_bins
from regact.simulation import LandscapeConfig, ReadsConfig, simulate_reads, write_landscape
from regact.simulation.config import RepeatFamily
from regact.tracks import open_signal

WAYS = ("unique", "equal", "random", "smoothed", "exact")


class TestErrors:
    truth = np.array([4.0, 1, 2, 3, 5])
    families = np.array([0, 0, -1, 2, 2])

    def test_are_added_up_over_the_bins_of_a_family(self):
        table = family_errors({"one": np.array([3.0, 3, 9, 3, 5]), "none": np.zeros(5)}, self.truth, self.families)
        assert table.to_dict("list") == {
            "family": [0, 2],
            "bins": [2, 2],
            "truth": [5, 8],
            "one": [3, 0],
            "none": [5, 8],
        }

    def test_truth_itself_has_none_and_nothing_has_all(self):
        table = family_errors({"truth_again": self.truth, "none": np.zeros(5)}, self.truth, self.families)
        compared = compare_errors(table, "truth_again").set_index("estimate")
        assert compared.loc["truth_again"].eq(0).all()
        assert compared.loc["none"].eq(1).all()

    def test_interval_is_that_of_a_mean_over_families(self):
        rng = np.random.default_rng(3)
        better = rng.normal(0.1, 0.2, 400)
        table = pd.DataFrame({"truth": np.ones(400), "ours": np.ones(400), "theirs": 1 + better})
        compared = compare_errors(table, "ours").set_index("estimate").loc["theirs"]
        assert compared.margin == pytest.approx(better.mean())
        half = 1.96 * better.std() / 20
        assert compared.margin_low == pytest.approx(better.mean() - half, abs=0.003)
        assert compared.margin_high == pytest.approx(better.mean() + half, abs=0.003)

    def test_a_coin_decides_nothing(self):
        table = pd.DataFrame({"truth": np.ones(40), "ours": np.ones(40), "theirs": np.tile([0.5, 1.5], 20)})
        compared = compare_errors(table, "ours").set_index("estimate").loc["theirs"]
        assert compared.margin_low < 0 < compared.margin_high

    @pytest.mark.parametrize("rows", [0, 3])
    def test_without_families_or_reference(self, rows):
        table = pd.DataFrame({"truth": np.ones(rows), "ours": np.ones(rows)})
        with pytest.raises(ValueError, match=f"{rows} families"):
            compare_errors(table, "ours" if rows == 0 else "theirs")


def errors_of_reads(folder: Path, seed: int, *, paired: bool) -> pd.DataFrame:
    """Errors of all ways to place 30,000 simulated reads (or pairs) of a genome of 1 Mb with 16 families."""
    land = write_landscape(LandscapeConfig(seed=seed), folder / "landscape")
    assay = "chip" if paired else "dnase"
    (land / "sheet.txt").write_text(f"identifier\tfile\tdescription\nrate\trate.bw\t{assay.upper()}:known\n")
    config = ReadsConfig(seed=seed, reads=30_000, paired=paired)
    reads = simulate_reads(land / "genome.fa", land / "sheet.txt", folder / "reads", config)
    mate2 = reads / "rate_R2.fastq.gz" if paired else None
    bam = folder / "reads.bam"
    align_reads(reads / "rate_R1.fastq.gz", mate2, land / "genome.fa", bam, index_dir=folder / "index")
    layout = GenomeLayout.from_lengths(load_genome(land / "genome.fa").lengths)
    bins, counted = GenomeBins(layout, 128), {}
    for way in WAYS:
        settings = coverage_settings(assay, em=way)
        alignments = count_places(read_bam(bam, layout, settings)[0], layout, settings)
        counted[way] = bins.sums(alignments.place, share_reads(alignments, layout, settings).weight)
    repeats = read_bed_rows(land / "repeats.bed", genome_lengths=dict(zip(layout.names, layout.lengths, strict=True)))
    truth = bins.sums_of(open_signal(reads / "truth" / "rate.bw"))
    return family_errors(counted, truth, families_of_bins(bins, repeats)).assign(genome=seed)


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("bowtie2") and shutil.which("samtools")), reason="needs bowtie2 and samtools")
@pytest.mark.parametrize("paired", [False, True], ids=["single", "pairs"])
def test_em_is_nearest_to_the_truth_inside_repeats(paired, tmp_path):
    families = pd.concat([errors_of_reads(tmp_path / str(seed), seed, paired=paired) for seed in (1, 2)])
    for em in ("smoothed", "exact"):
        compared = compare_errors(families, em).set_index("estimate")
        for other in ("unique", "equal", "random"):
            assert compared.loc[other, "margin_low"] > 0, f"{em} against {other}"
            assert compared.loc[other, "margin"] > 0.05


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("bowtie2") and shutil.which("samtools")), reason="needs bowtie2 and samtools")
def test_reads_with_more_places_than_the_aligner_gives_are_better_kept(tmp_path):
    """Thirty copies, a base of 20 different: ten of the places nearly do, and leaving such reads out is worse."""
    family = RepeatFamily(length_bp=1_000, divergence=0.05, share=0.018)
    background = LandscapeConfig().background.model_copy(update={"repeats": (family,)})
    land = write_landscape(LandscapeConfig(background=background), tmp_path / "landscape")
    reads = simulate_reads(land / "genome.fa", land / "targets.txt", tmp_path / "reads", ReadsConfig(reads=30_000))
    layout = GenomeLayout.from_lengths(load_genome(land / "genome.fa").lengths)
    bins = GenomeBins(layout, 128)
    repeats = read_bed_rows(land / "repeats.bed", genome_lengths=dict(zip(layout.names, layout.lengths, strict=True)))
    assert len(repeats) >= 30
    truth = bins.sums_of(open_signal(reads / "truth" / "rate.bw"))
    errors = {}
    for places, most in ((10, 10), (10, 9), (50, 50)):
        bam = tmp_path / f"{places}.bam"
        align_reads(
            reads / "rate_R1.fastq.gz", None, land / "genome.fa", bam, places=places, index_dir=tmp_path / "index",
            overwrite=True,
        )  # fmt: skip
        settings = coverage_settings("dnase", max_places=most)
        alignments = count_places(read_bam(bam, layout, settings)[0], layout, settings)
        counted = bins.sums(alignments.place, share_reads(alignments, layout, settings).weight)
        table = family_errors({"ours": counted}, truth, families_of_bins(bins, repeats))
        errors[places, most] = table["ours"].sum() / table["truth"].sum()
    assert errors[10, 10] < errors[10, 9] - 0.1
    assert errors[10, 10] < errors[50, 50] + 0.05
