"""Settings of the regulatory grammar: motifs, and what bound motifs do together."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from regact.simulation.motif import IUPAC_BASES, largest_information_bits


class SimulationSettings(BaseModel):
    """What all groups of settings share: they do not change, and unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class MotifConfig(SimulationSettings):
    """A motif as a consensus and the information content that the position weight matrix is given."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", description="Unique name.")
    consensus: str = Field(
        pattern=f"^[{''.join(IUPAC_BASES)}]+$",
        description="IUPAC letters, an odd number, so that a hit has a centre base.",
    )
    bits: float = Field(default=15.0, gt=0, description="Information content against equal base frequencies.")

    @model_validator(mode="after")
    def _check_consensus(self) -> Self:
        problems = []
        if len(self.consensus) % 2 == 0:
            problems.append(f"consensus {self.consensus} has {len(self.consensus)} letters; needed an odd number")
        largest = largest_information_bits(self.consensus)
        if self.bits > largest:
            problems.append(f"bits {self.bits:g} is more than {self.consensus} can carry; needed at most {largest:.2f}")
        if problems:
            raise ValueError("; ".join(problems))
        return self


class EnhancerMotif(MotifConfig):
    """A motif that activates in some cell types, where a partner is bound beside it."""

    activity: dict[str, float] = Field(description="What one fully bound site adds, for each cell type.")


class ProximalMotif(MotifConfig):
    """A motif that makes a promoter stronger, in every cell type alike."""

    strength: float = Field(default=1.0, gt=0, description="What one fully bound site adds to the intrinsic strength.")


def _circulant(position: int) -> dict[str, float]:
    # Each cell type has one motif that is strong in it and two that are weaker: the sums agree between cell types.
    levels = (1.0, 0.4, 0.15, 0.0)
    return {cell: levels[(index - position) % 4] for index, cell in enumerate(("liver", "blood", "brain", "skin"))}


class GrammarConfig(SimulationSettings):
    """What sequence means: motifs, how strongly they are bound, and what bound motifs do together."""

    cell_types: tuple[str, ...] = Field(
        default=("liver", "blood", "brain", "skin"), min_length=4, description="At least four."
    )
    enhancer_motifs: tuple[EnhancerMotif, ...] = Field(
        default=(
            EnhancerMotif(name="fox", consensus="TGTTTACTTAG", activity=_circulant(0)),
            EnhancerMotif(name="gata", consensus="AGATAAGATTC", activity=_circulant(1)),
            EnhancerMotif(name="ets", consensus="ACAGGAAGTGA", activity=_circulant(2)),
            EnhancerMotif(name="hox", consensus="GCTAATTGCAT", activity=_circulant(3)),
        ),
        min_length=3,
        description="Motifs of enhancers, at least three. The names are mnemonics only.",
    )
    partner: MotifConfig = Field(
        default=MotifConfig(name="ap1", consensus="TGACTCAGCAC"),
        description="The motif that an enhancer motif needs beside it; a hit without it is a decoy.",
    )
    partner_within_bp: int = Field(default=60, gt=0, description="Largest distance between the centres of the two.")
    core: MotifConfig = Field(
        default=MotifConfig(name="tata", consensus="GCTATAAAAGGGC", bits=19.0),
        description="The motif that makes a promoter and gives it its direction.",
    )
    tss_offset_bp: int = Field(
        default=31, description="From the core motif's centre to the start of transcription, downstream."
    )
    proximal_motifs: tuple[ProximalMotif, ...] = Field(
        default=(
            ProximalMotif(name="sp", consensus="AGGGCGGGGCT", strength=1.0),
            ProximalMotif(name="nfy", consensus="AGCCAATCAGC", strength=0.6),
        ),
        min_length=1,
        description="Motifs beside the core motif whose sum is the promoter's intrinsic strength.",
    )
    proximal_within_bp: int = Field(
        default=120, gt=0, description="Largest distance of a proximal motif from the core motif."
    )
    occupancy_scale_bits: float = Field(
        default=2.0,
        gt=0,
        description="Slope of occupancy: 1 / (1 + exp(-(score - bits) / scale)); half bound at `bits`.",
    )
    smallest_occupancy: float = Field(default=0.02, gt=0, lt=0.5, description="Occupancy below this is none.")
    basal_activation: float = Field(
        default=0.25, gt=0, description="Activation of a promoter that no enhancer reaches."
    )

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        names = [motif.name for motif in self.motifs]
        problems = [f"motif name {name} is given twice" for name in sorted({n for n in names if names.count(n) > 1})]
        if len(set(self.cell_types)) < len(self.cell_types):
            problems.append("cell_types holds a name twice")
        for motif in self.enhancer_motifs:
            if set(motif.activity) != set(self.cell_types):
                problems.append(
                    f"activity of {motif.name} names {sorted(motif.activity)}; needed {sorted(self.cell_types)}"
                )
            if any(value < 0 for value in motif.activity.values()):
                problems.append(f"activity of {motif.name} is negative; needed 0 or more")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def motifs(self) -> tuple[MotifConfig, ...]:
        """All motifs: enhancer motifs, partner, core, proximal motifs."""
        return (*self.enhancer_motifs, self.partner, self.core, *self.proximal_motifs)
