"""Settings of simulated reads: how many, how long, and what the laboratory does to them."""

from dataclasses import dataclass
from typing import Literal, Self

from pydantic import Field, model_validator

from regact.simulation.grammar import SimulationSettings

Counted = Literal["five_prime", "centre"]


@dataclass(frozen=True)
class ReadLayout:
    """Which base of a fragment an assay's rate speaks of.

    Attributes:
        counted: The 5' end of read 1, or the fragment's centre (`start + length // 2`).
        shift_bp: From read 1's 5' end to the counted base, for a fragment read from the forward and from the reverse
            strand: Tn5 cuts 9 bp apart on the two strands (Buenrostro et al. 2013: +4 and -5).
    """

    counted: Counted
    shift_bp: tuple[int, int] = (0, 0)


LAYOUTS = {"ATAC": ReadLayout("five_prime", (4, -5)), "CHIP": ReadLayout("centre")}
OTHER_LAYOUT = ReadLayout("five_prime")


class FragmentConfig(SimulationSettings):
    """Lengths of the fragments: normal, cut off at the read's length and four standard deviations above the mean."""

    mean_bp: int = Field(default=180, gt=0, description="Mean length.")
    sd_bp: float = Field(default=30.0, ge=0, description="Standard deviation.")


class GcBiasConfig(SimulationSettings):
    """How likely a fragment is kept, by the share of G and C over all its bases: exp(-((gc - peak) / width)^2 / 2).

    One peak and falling to both sides, as Benjamini and Speed (2012) find; with the peak at the end of the genome's
    range it rises or falls throughout.
    """

    peak: float = Field(default=0.55, ge=0, le=1, description="The GC share of the fragments that are kept best.")
    width: float = Field(default=0.12, gt=0, description="How fast it falls on either side; small is a strong bias.")


class ReadsConfig(SimulationSettings):
    """How fragments are drawn and read."""

    seed: int = Field(default=1, ge=0, description="Decides everything random.")
    reads: int = Field(default=100_000, gt=0, description="Reads (or pairs) of a sample, duplicates among them.")
    read_bp: int = Field(default=50, gt=0, description="Length of a read.")
    paired: bool = Field(default=False, description="Whether fragments are read from both ends.")
    fragment: FragmentConfig = FragmentConfig()
    gc_bias: GcBiasConfig | None = Field(default=None, description="Left out: none.")
    library_molecules: int | None = Field(
        default=None,
        gt=0,
        description="Distinct fragments in the library, from which reads are drawn with replacement; a fragment drawn "
        "again is a duplicate. Left out: so many that none is drawn twice.",
    )
    first_error: float = Field(default=0.001, ge=0, lt=0.75, description="Share of wrong bases at a read's start.")
    last_error: float = Field(default=0.01, ge=0, lt=0.75, description="The same at its end; geometric in between.")

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        if self.fragment.mean_bp < self.read_bp:
            raise ValueError(
                f"fragment.mean_bp {self.fragment.mean_bp} is less than read_bp {self.read_bp}; needed as much or more"
            )
        return self

    @property
    def longest_fragment_bp(self) -> int:
        """No fragment is longer."""
        return round(self.fragment.mean_bp + 4 * self.fragment.sd_bp)
