"""Settings of a simulated genome: its size, background, contact, layout and assays (`grammar.py` has its grammar).

Long distances are given in *reaches*: 1 is the reach R of the `basenji` preset that fits the window, so that one set of
numbers makes the same task at every window length.
"""

import math
from typing import Literal, Self

from pydantic import Field, model_validator

from regact.simulation.grammar import GrammarConfig, SimulationSettings


class RepeatFamily(SimulationSettings):
    """An interspersed repeat: copies of one sequence, each diverged, cut short at its start and on either strand."""

    length_bp: int = Field(gt=0, description="Length of the family's consensus.")
    divergence: float = Field(ge=0, lt=0.75, description="Share of a copy's bases that are replaced by random others.")
    share: float = Field(ge=0, lt=1, description="Share of the genome that copies cover.")


class BackgroundConfig(SimulationSettings):
    """The sequence between the planted sites."""

    gc: float = Field(default=0.41, gt=0, lt=1, description="Mean share of G and C.")
    gc_sd: float = Field(
        default=0.04, ge=0, lt=0.25, description="Standard deviation of the local GC share along the genome."
    )
    gc_scale_bp: int = Field(
        default=100_000, gt=0, description="Distance over which local GC is forgotten (autocorrelation 1/e)."
    )
    repeats: tuple[RepeatFamily, ...] = Field(
        default=(
            RepeatFamily(length_bp=300, divergence=0.12, share=0.06),
            RepeatFamily(length_bp=1_200, divergence=0.18, share=0.05),
            RepeatFamily(length_bp=5_000, divergence=0.08, share=0.04),
        ),
        description="Families of interspersed repeats.",
    )


class ContactConfig(SimulationSettings):
    """How much an enhancer adds to a promoter, by their signed distance in the promoter's direction.

    A near part falls from the promoter to 0 at `near_end`, inside R; a far part rises and falls around `far_centre`,
    beyond R. Downstream, all is multiplied by (1 - upstream_share) / upstream_share.
    """

    near_end: float = Field(default=0.5, gt=0, le=1, description="Where the near part ends, in reaches.")
    far_centre: float = Field(default=1.45, gt=1, description="Where the far part is highest, in reaches.")
    far_halfwidth: float = Field(default=0.3, gt=0, description="From its centre to its ends, in reaches.")
    upstream_share: float = Field(
        default=0.8, ge=0.5, lt=1, description="Share of all activation that comes from upstream."
    )
    distal_share: float = Field(
        default=0.6, ge=0, le=1, description="Share of all activation that comes from beyond R."
    )

    @model_validator(mode="after")
    def _keep_far_part_beyond_reach(self) -> Self:
        if self.far_centre - self.far_halfwidth < 1:
            raise ValueError(
                f"far_centre - far_halfwidth is {self.far_centre - self.far_halfwidth:g} reaches; "
                "needed 1 or more, so that the far part lies beyond R"
            )
        return self


class LayoutConfig(SimulationSettings):
    """Where promoters, enhancers and decoys are put, and what they are made of."""

    promoter_spacing: float = Field(
        default=0.32, gt=0, description="Mean distance between neighbouring promoters, in reaches."
    )
    enhancers_per_promoter: float = Field(
        default=1.25, gt=0, description="Enhancers in the genome for each promoter in it."
    )
    decoy_share: float = Field(
        default=0.5,
        ge=0,
        lt=1,
        description="Share of all clusters of enhancer motifs that lack the partner, so do nothing.",
    )
    most_enhancer_sites: int = Field(default=4, ge=1, description="A cluster has 1 to this many enhancer motifs.")
    most_proximal_sites: int = Field(default=4, ge=1, description="A promoter has 1 to this many proximal motifs.")
    same_motif_share: float = Field(
        default=0.75,
        ge=0,
        le=1,
        description="Probability that a site of a cluster has the motif of the cluster's first site.",
    )
    site_step_bp: int = Field(
        default=21, gt=0, description="From one site of an element to the next: two turns of the helix."
    )
    site_jitter_bp: int = Field(default=3, ge=0, description="How much a site may lie off its place.")
    gap_bp: int = Field(default=300, ge=0, description="Smallest distance between two planted elements.")
    link_effect: float = Field(
        default=0.25,
        gt=0,
        lt=1,
        description="A pair is truly linked where the promoter loses at least this share of its rate in some cell type "
        "when the element is taken out.",
    )


class AssayConfig(SimulationSettings):
    """How activity becomes counts in one kind of track."""

    depth: float = Field(gt=0, description="Expected counts of an element of activity 1.")
    width_bp: int = Field(gt=0, description="Bases over which an element's signal is spread, an odd number.")
    background_per_kb: float = Field(gt=0, description="Expected counts per kilobase anywhere.")
    promoter_weight: float = Field(
        default=1.0, ge=0, description="Signal of a promoter relative to that of an enhancer."
    )

    @model_validator(mode="after")
    def _check_width(self) -> Self:
        if self.width_bp % 2 == 0:
            raise ValueError(
                f"width_bp {self.width_bp} is even; needed an odd number, so that a strand is not favoured"
            )
        return self


class AssaysConfig(SimulationSettings):
    """The tracks of each cell type, and their noise."""

    cage: AssayConfig = Field(
        default=AssayConfig(depth=25.0, width_bp=9, background_per_kb=0.2),
        description="Starts of transcription at promoters, one track a strand; an element is a promoter.",
    )
    dnase: AssayConfig = Field(
        default=AssayConfig(depth=25.0, width_bp=181, background_per_kb=2.0, promoter_weight=0.5),
        description="Open chromatin at active enhancers (by activity) and promoters (by intrinsic strength).",
    )
    chip: AssayConfig = Field(
        default=AssayConfig(depth=60.0, width_bp=2_001, background_per_kb=3.0, promoter_weight=0.5),
        description="A broad histone mark around active enhancers (by activity) and promoters (by their rate).",
    )
    noise: Literal["poisson", "negative_binomial"] = Field(
        default="negative_binomial", description="Law of a bin's count."
    )
    dispersion: float = Field(
        default=0.05,
        gt=0,
        description="Of the negative binomial: the variance of a bin's count is mean + dispersion * mean^2.",
    )
    resolution_bp: int = Field(default=16, gt=0, description="Bases that share one value in the count files.")


class SimulationConfig(SimulationSettings):
    """A genome whose answer is known."""

    seed: int = Field(default=1, ge=0, description="Decides everything random.")
    chromosomes: dict[str, int] = Field(
        default={"chr1": 4_000_000, "chr2": 2_000_000, "chr3": 2_000_000},
        min_length=1,
        description="Names and lengths in bp.",
    )
    window_bp: int = Field(
        default=131_072, gt=0, description="The window that models will see; sets R and so all distances."
    )
    bin_bp: int = Field(default=128, gt=0, description="Bases per bin.")
    reach_bp: int | None = Field(
        default=None, gt=0, description="R; empty = of the `basenji` preset that fits the window."
    )
    background: BackgroundConfig = BackgroundConfig()
    grammar: GrammarConfig = GrammarConfig()
    contact: ContactConfig = ContactConfig()
    layout: LayoutConfig = LayoutConfig()
    assays: AssaysConfig = AssaysConfig()

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        problems = [
            f"chromosome {name} has {length} bp; needed at least window_bp {self.window_bp}"
            for name, length in self.chromosomes.items()
            if length < self.window_bp
        ]
        problems += [f"chromosome name {name!r} holds a blank" for name in self.chromosomes if len(name.split()) != 1]
        if self.window_bp % self.bin_bp:
            problems.append(f"window_bp {self.window_bp} is not a multiple of bin_bp {self.bin_bp}")
        if self.bin_bp % self.assays.resolution_bp:
            problems.append(f"bin_bp {self.bin_bp} is not a multiple of resolution_bp {self.assays.resolution_bp}")
        farthest = (self.contact.far_centre + self.contact.far_halfwidth) * self.reach
        if farthest >= self.window_bp / 2:
            problems.append(
                f"far_centre + far_halfwidth is {farthest:,.0f} bp at R = {self.reach:,} bp; "
                f"needed less than half of window_bp {self.window_bp:,}"
            )
        problems += self._crowded_sites()
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _crowded_sites(self) -> list[str]:
        """What keeps the sites of an element from standing side by side within reach of each other."""
        layout, grammar, problems = self.layout, self.grammar, []
        widest = max(len(motif.consensus) for motif in grammar.motifs)
        if layout.site_step_bp - 2 * layout.site_jitter_bp < widest:
            problems.append(
                f"site_step_bp {layout.site_step_bp} with site_jitter_bp {layout.site_jitter_bp} lets sites overlap; "
                f"needed step - 2 * jitter >= {widest}, the widest motif"
            )
        gap = max(grammar.partner_within_bp, grammar.proximal_within_bp) + widest
        if layout.gap_bp < gap:
            problems.append(f"gap_bp {layout.gap_bp} lets neighbouring elements act as one; needed at least {gap}")
        for steps, limit, field in (
            ((layout.most_enhancer_sites + 1) // 2, grammar.partner_within_bp, "partner_within_bp"),
            (layout.most_proximal_sites, grammar.proximal_within_bp, "proximal_within_bp"),
        ):
            farthest = steps * layout.site_step_bp + layout.site_jitter_bp
            if farthest > limit:
                problems.append(
                    f"the farthest site of an element lies {farthest} bp away; needed {field} {limit} at most"
                )
        return problems

    @property
    def reach(self) -> int:
        """R in bp: `reach_bp`, or that of the dilated preset that fits the window."""
        return self.reach_bp or basenji_reach_bp(self.window_bp, self.bin_bp)


def basenji_reach_bp(window_bp: int, bin_bp: int) -> int:
    """Bases to either side that the `basenji` preset for `window_bp` sees beyond its own bin.

    Its dilated layers of width 3 have dilation 2, 4, .. 2^n, so they reach 2^(n+1) - 2 bins. The paper has n = 7 at
    1,024 bins (254 bins = 32.5 kb); a window half as long takes one layer less.
    """
    layers = max(1, math.floor(math.log2(window_bp / bin_bp)) - 3)
    return (2 ** (layers + 1) - 2) * bin_bp
