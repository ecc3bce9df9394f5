"""How reads of an assay become coverage: one number a line, each with its reason, every one replaceable."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from regact.errors import ConfigError
from regact.settings import check_settings

# Places of a read that the aligner is asked for, and with which it counts; docs/coverage.md says what others change.
PLACES = 10

Count = Literal["five_prime", "centre", "fragment"]
PairUse = Literal["fragment", "read1", "mates"]
Placing = Literal["smoothed", "exact", "unique", "equal", "random"]


class CoverageSettings(BaseModel):
    """Every number of the way from alignments to coverage; `coverage_settings` gives an assay's.

    The output's side-car JSON holds all of them as they were used.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    assay: str = Field(description="Name of the assay, upper case; the start of the track's description.")
    count: Count = Field(
        description="What of a read is counted: its 5' end (shifted by shift_forward_bp or shift_reverse_bp), the "
        "centre of its fragment, or every base of its fragment, each as one."
    )
    pairs: PairUse = Field(
        description="What is a read where reads are paired: a proper pair's fragment (other pairs are left out), "
        "read 1 alone, or each mate by itself."
    )
    stranded: bool = Field(
        default=False,
        description="Two outputs, one for each strand: read 1's, or each mate's own where mates count by themselves.",
    )
    shift_forward_bp: int = Field(default=0, description="Added to the position of 5' ends on the + strand.")
    shift_reverse_bp: int = Field(default=0, description="Added to the position of 5' ends on the - strand.")
    fragment_ends_shifted: bool = Field(
        default=True,
        description="The ends in a fragment file have been shifted by the program that wrote it, as 10x does by +4 and "
        "-5: shift_forward_bp and shift_reverse_bp do not move them once more.",
    )

    min_mapq: int = Field(
        default=0, ge=0, le=254, description="Smallest mapping quality of a read's primary alignment."
    )
    keep_duplicates: bool = Field(default=False, description="Count reads that a duplicate marker has flagged.")
    max_places: int = Field(default=PLACES, ge=1, description="Reads with more places in the genome are left out.")
    keep_unlisted: bool = Field(
        default=False,
        description="Count reads that have other places as good, of which the file does not say where, at the one it "
        "gives.",
    )
    min_fragment_bp: int = Field(default=1, ge=1, description="Shorter fragments of pairs are left out.")
    max_fragment_bp: int = Field(default=2000, ge=1, description="Longer fragments of pairs are left out.")
    fragment_bp: int | None = Field(
        default=None,
        ge=1,
        description="Fragment length of single-end reads; without it, from strand cross-correlation.",
    )
    assumed_fragment_bp: int = Field(
        default=200,
        ge=1,
        description="Fragment length of single-end reads for their GC, where the cross-correlation has no peak, as in "
        "DNase and ATAC, whose ends lie alike on both strands.",
    )
    fragment_search_bp: tuple[int, int] = Field(
        default=(50, 500), description="Shortest and longest length that the cross-correlation looks at."
    )

    em: Placing = Field(
        default="smoothed",
        description="How reads with several places are shared among them: by smoothed coverage, by the exact EM, "
        "equally, to one at random, or not at all (unique).",
    )
    # Of simulated repeats under peaks of sd 80 bp, 64 leaves 6 points less error than 16; under peaks of sd 25 as much.
    em_sd_bp: float = Field(
        default=64, gt=0, description="Standard deviation of the Gaussian that smooths coverage in EM."
    )
    em_background: float = Field(
        default=0.01,
        ge=0,
        description="Reads a base that EM expects everywhere: the higher, the more equal the shares.",
    )
    # Rounds cost next to nothing; stopping at 10 or at 0.01 left 4 to 5 % more error on simulated repeats.
    em_rounds: int = Field(default=100, ge=1, description="Most rounds of EM.")
    em_tolerance: float = Field(
        default=0.001, ge=0, description="EM stops when a read's weights change by less than this in the mean."
    )
    error_rate: float = Field(
        default=0.01,
        gt=0,
        le=1,
        description="How probable one more difference from the genome makes a place; 1 leaves differences out.",
    )
    gc: bool = Field(default=True, description="Correct the bias that GC content gives.")
    clip: int | None = Field(
        default=None, ge=2, description="Most reads a base may keep; towers are not cut without it."
    )
    seed: int = Field(default=0, ge=0, description="Seed of what is drawn at random.")

    @model_validator(mode="after")
    def _check_ranges(self) -> "CoverageSettings":
        if self.min_fragment_bp > self.max_fragment_bp:
            raise ValueError(f"min_fragment_bp {self.min_fragment_bp} is above max_fragment_bp {self.max_fragment_bp}")
        low, high = self.fragment_search_bp
        if not 1 <= low < high:
            raise ValueError(f"fragment_search_bp is {low}, {high}; needed 1 <= shortest < longest")
        if self.count != "five_prime" and (self.shift_forward_bp or self.shift_reverse_bp):
            raise ValueError(f"shifts move 5' ends, but count is {self.count}")
        return self


# Every preset states what differs from the fields' defaults, and why.
PRESETS: dict[str, dict[str, Any]] = {
    # The 5' end of read 1 is the capped base itself: narrow smoothing, a strand. Where transcription starts has its own
    # GC for reasons of biology, so GC is not taken for a bias.
    "cage": {"count": "five_prime", "pairs": "read1", "stranded": True, "em_sd_bp": 4, "gc": False},
    # Both ends of a fragment are cuts.
    "dnase": {"count": "five_prime", "pairs": "mates"},
    # Tn5 cuts the strands 9 bp apart: ends move to the middle between, as Buenrostro et al. 2013 do.
    "atac": {"count": "five_prime", "pairs": "mates", "shift_forward_bp": 4, "shift_reverse_bp": -5},
    # The protein sits somewhere in the fragment; its middle is the best guess of where.
    "chip": {"count": "centre", "pairs": "fragment"},
}


def coverage_settings(assay: str, **replaced: Any) -> CoverageSettings:
    """The settings of an assay (`cage`, `dnase`, `atac`, `chip`, in any case) with the given fields replaced.

    Raises: ConfigError with every problem: an unknown assay, unknown fields, values out of range.
    """
    if assay.lower() not in PRESETS:
        raise ConfigError("--assay", [f"unknown {assay!r}; needed one of {', '.join(PRESETS)}"])
    settings, problems = check_settings(
        CoverageSettings, {"assay": assay.upper(), **PRESETS[assay.lower()], **replaced}
    )
    if settings is None:
        raise ConfigError(f"settings of {assay}", problems)
    return settings
