"""What the assays measure: activity spread over bases as expected counts, and counts drawn from them."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64, Int64

from regact.simulation.config import AssayConfig, AssaysConfig
from regact.simulation.regulation import Activity


@dataclass(frozen=True)
class SimulatedTrack:
    """One track: assay, cell type and strand ("+", "-", or "." where the assay has none)."""

    assay: str
    cell_type: str
    strand: str

    @property
    def identifier(self) -> str:
        """Name of the track and its files."""
        return f"{self.assay}_{self.cell_type}" + {"+": "_plus", "-": "_minus", ".": ""}[self.strand]

    @property
    def description(self) -> str:
        """What the track sheet says of it; the assay stands before the first colon."""
        target = {"CHIP": "H3K27ac:"}.get(self.assay, "")
        return f"{self.assay}:{target}{self.cell_type}" + ("" if self.strand == "." else f" {self.strand} strand")

    @property
    def other_strand(self) -> "SimulatedTrack":
        """The same assay's other strand; the track itself where it has none."""
        return replace(self, strand={"+": "-", "-": "+", ".": "."}[self.strand])


def list_tracks(cell_types: tuple[str, ...]) -> tuple[SimulatedTrack, ...]:
    """The tracks in the order of the track sheet: for each cell type both strands of CAGE, DNASE, CHIP."""
    kinds = (("CAGE", "+"), ("CAGE", "-"), ("DNASE", "."), ("CHIP", "."))
    return tuple(SimulatedTrack(assay, cell, strand) for cell in cell_types for assay, strand in kinds)


def expected_counts(
    track: SimulatedTrack, activity: Activity, assays: AssaysConfig, *, cell: int, length: int, bin_bp: int
) -> Float64[np.ndarray, " bin"]:
    """Expected count of every bin of one track, on a sequence of `length` bases; `cell` is its cell type's number.

    CAGE: the promoters' rates at their starts of transcription, on their strand. DNASE: the activity of enhancer sites
    and the intrinsic strength of promoters. CHIP: the activity of enhancer sites and the rate of promoters, broad.

    Raises: ValueError where `bin_bp` does not divide `length`.
    """
    if length % bin_bp:
        raise ValueError(f"a sequence of {length} bases does not divide into bins of {bin_bp}")
    config: AssayConfig = getattr(assays, track.assay.lower())
    sites, promoters, rate = activity.sites, activity.promoters, activity.rate[:, cell]
    if track.assay == "CAGE":
        ours = promoters.strand == (1 if track.strand == "+" else -1)
        position, amount = promoters.tss[ours], rate[ours]
    else:
        at_promoter = promoters.intrinsic if track.assay == "DNASE" else rate
        position = np.concatenate([sites.centre, promoters.tss])
        amount = np.concatenate([sites.activity[:, cell], config.promoter_weight * at_promoter])
    spread = spread_over_bins(position, amount, width_bp=config.width_bp, n_bins=length // bin_bp, bin_bp=bin_bp)
    return config.background_per_kb * bin_bp / 1_000 + config.depth * spread


def spread_over_bins(
    position: Int64[np.ndarray, " source"],
    amount: Float64[np.ndarray, " source"],
    *,
    width_bp: int,
    n_bins: int,
    bin_bp: int,
) -> Float64[np.ndarray, " bin"]:
    """Sum over sources of `amount`, spread around `position` as a raised cosine over `width_bp` bases (odd), in bins.

    What falls outside the bins is lost. Exact for any bin: larger bins are sums of smaller ones.
    """
    weights = np.hanning(width_bp + 2)[1:-1]
    cumulative = np.concatenate([[0.0], np.cumsum(weights / weights.sum())])
    left = position - width_bp // 2
    touched = (width_bp + bin_bp - 2) // bin_bp + 1
    bins = (left // bin_bp)[:, None] + np.arange(touched)
    share = cumulative[np.clip((bins + 1) * bin_bp - left[:, None], 0, width_bp)]
    share -= cumulative[np.clip(bins * bin_bp - left[:, None], 0, width_bp)]
    source, column = np.nonzero((bins >= 0) & (bins < n_bins) & (share > 0))
    return np.bincount(bins[source, column], weights=share[source, column] * amount[source], minlength=n_bins)


def draw_counts(
    expected: Float64[np.ndarray, " cell"], assays: AssaysConfig, bin_bp: int, rng: np.random.Generator
) -> Int64[np.ndarray, " cell"]:
    """Counts of one track, drawn for each stretch of `resolution_bp` bases from its expected count.

    Negative binomial: the stretches of one bin share a factor drawn from a gamma distribution of mean 1 and variance
    `dispersion`, so that the *bin's* count has variance mean + dispersion * mean^2. A last, shorter bin is a bin.
    """
    if assays.noise == "negative_binomial":
        per_bin = bin_bp // assays.resolution_bp
        n_bins = -(-len(expected) // per_bin)
        factor = rng.gamma(1 / assays.dispersion, assays.dispersion, n_bins)
        expected = expected * np.repeat(factor, per_bin)[: len(expected)]
    return rng.poisson(expected)
