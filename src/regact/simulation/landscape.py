"""A genome for testing what happens to reads: repeats that differ little or not at all, and a rate that ignores them.

Each copy of a repeat has a rate of its own, so that no method can know it from the sequence; only what lies around a
copy, or a base that differs, tells where its reads belong.
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float64
from pydantic import Field
from scipy.ndimage import gaussian_filter1d

from regact.engine import whole_folder
from regact.simulation.annotation import contig_fasta, repeat_bed
from regact.simulation.config import BackgroundConfig, RepeatFamily
from regact.simulation.genome import background_sequence, repeat_consensus
from regact.simulation.grammar import SimulationSettings
from regact.simulation.streams import LANDSCAPE, REPEATS, SEQUENCE, random_stream
from regact.tracks import write_bigwig


class RateConfig(SimulationSettings):
    """A rate per base: a floor whose logarithm drifts along the genome, and peaks anywhere."""

    drift_sd: float = Field(default=0.4, ge=0, description="Standard deviation of the floor's natural logarithm.")
    drift_scale_bp: float = Field(default=3_000, gt=0, description="Standard deviation of the kernel that smooths it.")
    peaks_per_kb: float = Field(default=0.25, ge=0, description="Density of peaks.")
    peak_sd_bp: float = Field(default=80, gt=0, description="Width of a peak, a Gaussian.")
    peak_height: float = Field(default=15, ge=0, description="Median height of a peak over the floor, log-normal.")
    peak_height_sd: float = Field(default=0.8, ge=0, description="Standard deviation of its natural logarithm.")


class LandscapeConfig(SimulationSettings):
    """Size, sequence, repeats and rate."""

    seed: int = Field(default=1, ge=0, description="Decides everything random.")
    chromosomes: dict[str, int] = Field(default={"chr1": 700_000, "chr2": 300_000}, description="Lengths in bp.")
    background: BackgroundConfig = BackgroundConfig(
        gc_scale_bp=10_000,
        # Some six copies a family and megabase: fewer than the ten places that aligners are asked for. Of every length
        # families whose copies are alike, differ in a base here and there, and in one of a hundred.
        repeats=tuple(
            RepeatFamily(length_bp=length_bp, divergence=divergence, share=4e-6 * length_bp)
            for length_bp in (400, 1_000, 2_000, 4_000)
            for divergence in (0.0, 0.0, 0.002, 0.01)
        ),
    )
    rate: RateConfig = RateConfig()


def write_landscape(config: LandscapeConfig, out: Path | str, *, overwrite: bool = False) -> Path:
    """Write genome.fa, repeats.bed, rate.bw and its track sheet targets.txt to the folder `out`; returns it."""
    consensus = repeat_consensus(config.background, random_stream(config.seed, REPEATS))
    with whole_folder(out, overwrite=overwrite, mark="repeats.bed") as folder:
        with (folder / "genome.fa").open("wb") as fasta, (folder / "repeats.bed").open("w") as bed:
            for number, (chrom, length) in enumerate(config.chromosomes.items()):
                rng = random_stream(config.seed, SEQUENCE, number)
                codes, copies = background_sequence(length, config.background, consensus, rng)
                fasta.write(contig_fasta(chrom, codes))
                bed.write(repeat_bed(chrom, copies))
        rates = (
            (chrom, 0, rate_along(length, config.rate, random_stream(config.seed, LANDSCAPE, number)))
            for number, (chrom, length) in enumerate(config.chromosomes.items())
        )
        write_bigwig(folder / "rate.bw", config.chromosomes, rates, span=1)
        (folder / "targets.txt").write_text("identifier\tfile\tdescription\nrate\trate.bw\tDNASE:known rate\n")
    return Path(out)


def rate_along(length: int, config: RateConfig, rng: np.random.Generator) -> Float64[np.ndarray, "base"]:
    """Return the rate of every base of a contig: about 1 without peaks."""
    # Drawn at a tenth of its scale and interpolated: a kernel of thousands of bases is slow base by base.
    step = max(1.0, config.drift_scale_bp / 10)
    drift = gaussian_filter1d(rng.standard_normal(int(length / step) + 2), config.drift_scale_bp / step, mode="wrap")
    along = np.interp(np.arange(length) / step, np.arange(len(drift)), drift / drift.std())
    floor = np.exp(config.drift_sd * along)
    peaks = rng.poisson(config.peaks_per_kb * length / 1_000)
    impulses = np.zeros(length)
    heights = config.peak_height * np.exp(config.peak_height_sd * rng.standard_normal(peaks))
    np.add.at(impulses, rng.integers(0, length, peaks), heights)
    peak_area = config.peak_sd_bp * np.sqrt(2 * np.pi)
    return floor + peak_area * gaussian_filter1d(impulses, config.peak_sd_bp, mode="constant", truncate=4)
