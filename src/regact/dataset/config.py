"""Settings of a dataset: windows, splits, masks and storage."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from regact.genome import MIN_GAP_BP

SPLITS = ("train", "valid", "test")


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class SplitByChromosomes(_Settings):
    """Whole chromosomes are validation or test; all others train."""

    by: Literal["chromosomes"] = "chromosomes"
    valid: tuple[str, ...] = Field(
        default=(), description="Chromosome names or patterns (`chr1*`) of the validation split."
    )
    test: tuple[str, ...] = Field(default=(), description="Chromosome names or patterns of the test split.")


class SplitByFraction(_Settings):
    """Contigs, broken into pieces, are dealt to the splits until each has its share of the nucleotides."""

    by: Literal["fraction"] = "fraction"
    valid: float = Field(
        default=0.1, ge=0, lt=1, description="Share of the nucleotides for validation; 0 = no such split."
    )
    test: float = Field(default=0.1, ge=0, lt=1, description="Share of the nucleotides for test; 0 = no such split.")

    @model_validator(mode="after")
    def _leave_something_to_train(self) -> "SplitByFraction":
        if self.valid + self.test >= 1:
            raise ValueError(f"valid + test = {self.valid + self.test:g} leaves nothing to train; needed less than 1")
        return self


class SplitByFolds(_Settings):
    """Contigs, broken into pieces, are dealt to k folds of equal size, named by number.

    The folds are stored with the windows, so that a later run may give them other roles without another build.
    """

    by: Literal["folds"] = "folds"
    k: int = Field(default=8, ge=2, description="Number of folds.")
    valid: tuple[int, ...] = Field(default=(0,), description="Folds (0 to k - 1) that validate.")
    test: tuple[int, ...] = Field(default=(1,), description="Folds that test; all others train.")

    @model_validator(mode="after")
    def _check_roles(self) -> "SplitByFolds":
        problems = [
            f"{role}: fold {fold} does not exist; needed 0 to {self.k - 1}"
            for role, folds in (("valid", self.valid), ("test", self.test))
            for fold in folds
            if not 0 <= fold < self.k
        ]
        problems += [f"fold {fold} is both valid and test" for fold in sorted(set(self.valid) & set(self.test))]
        if len(set(self.valid) | set(self.test)) >= self.k:
            problems.append("valid and test take every fold; leave at least one to train")
        if problems:
            raise ValueError("; ".join(problems))
        return self


class SplitByRegions(_Settings):
    """The user's own regions: a BED file with train, valid or test in column 4.

    Regions are taken as they are: runs of N are masked in them, not cut out, so that a region of exactly `window_bp` is
    one window. Regions of one split may overlap each other; regions of two splits may not.
    """

    by: Literal["regions"] = "regions"
    bed: Path = Field(description="BED file (plain or gzip) with the split in column 4.")


class SplitAsImported(_Settings):
    """The split that imported data came with; where it has folds, those named validate and test, all others train."""

    by: Literal["imported"] = "imported"
    valid: tuple[str, ...] = Field(default=("fold0",), description="Folds that validate, where there are folds.")
    test: tuple[str, ...] = Field(default=("fold1",), description="Folds that test, where there are folds.")


Split = Annotated[
    SplitByChromosomes | SplitByFraction | SplitByFolds | SplitByRegions | SplitAsImported,
    Field(discriminator="by"),
]


class Strides(_Settings):
    """Distance between the starts of neighbouring windows in bp, for each split; empty = target length (no overlap)."""

    train: int | None = Field(default=None, gt=0, description="Stride of training windows.")
    valid: int | None = Field(default=None, gt=0, description="Stride of validation windows.")
    test: int | None = Field(default=None, gt=0, description="Stride of test windows.")


class DatasetConfig(_Settings):
    """How a genome and its tracks become windows with targets.

    Paths are taken as they stand (an experiment file resolves its own, relative to itself).
    """

    window_bp: int = Field(default=131_072, gt=0, description="Length of a window, the model's input.")
    bin_bp: int = Field(default=128, gt=0, description="Bases per bin, the model's output position.")
    crop_bins: int = Field(default=0, ge=0, description="Bins dropped at each end of a window: no targets there.")
    strides: Strides = Field(default=Strides(), description="Distance between window starts, for each split.")

    split: Split = Field(default=SplitByFraction(), description="Who trains, validates and tests.")
    break_bp: int = Field(
        default=786_432,
        gt=0,
        description="Longest piece of a contig that is dealt out as one (fraction, folds), "
        "so that a small genome has no empty split.",
    )
    max_shift_bp: int = Field(
        default=3,
        ge=0,
        description="Largest shift that training may apply. Windows of different splits keep twice this distance, "
        "so that shifted windows share no base either.",
    )
    seed: int = Field(default=0, ge=0, description="Decides which pieces go to which split.")

    include: tuple[str, ...] = Field(default=(), description="Contig names or patterns to use; empty = all.")
    exclude: tuple[str, ...] = Field(default=(), description="Contig names or patterns to leave out.")
    keep_mitochondria: bool = Field(default=False, description="Use the mitochondrial genome too.")
    gaps: Path | None = Field(default=None, description="BED of assembly gaps; runs of N are found without it.")
    min_gap_bp: int = Field(
        default=MIN_GAP_BP,
        gt=0,
        description="Runs of N at least this long are gaps, which no window spans; shorter ones are masked. "
        "Raise it for a draft or hard-masked genome.",
    )

    blacklist: Path | None = Field(
        default=None,
        description="BED of artefacts: values there are clipped to the window's baseline, "
        "and a bin with any such base is masked.",
    )
    unmappable: Path | None = Field(default=None, description="BED of bases that reads cannot be placed on.")
    max_unusable_fraction: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="A bin is masked when more than this share of its bases is N or unmappable.",
    )
    max_masked_fraction: float = Field(
        default=0.5, ge=0, le=1, description="A window is dropped when more than this share of its bins is masked."
    )

    depth_total: float | None = Field(
        default=None,
        gt=0,
        description="Scale every track so that its coverage adds up to this over the genome (both strands of a pair "
        "together, which share one factor); factors are stored. Empty = depths stay as measured.",
    )

    codec: Literal["zstd", "blosc_zstd", "blosc_lz4"] = Field(
        default="zstd", description="Compression of targets: zstd is smallest, blosc_lz4 (bitshuffled) decodes fastest."
    )
    compression_level: int = Field(
        default=1,
        ge=1,
        le=22,
        description="Level of the codec (blosc: at most 9); more saves little room and costs time.",
    )

    @property
    def crop_bp(self) -> int:
        """Bases dropped at each end of a window."""
        return self.crop_bins * self.bin_bp

    @property
    def target_bp(self) -> int:
        """Length of the target: the window minus the crop at both ends."""
        return self.window_bp - 2 * self.crop_bp

    @property
    def n_bins(self) -> int:
        """Bins of a target."""
        return self.target_bp // self.bin_bp

    def stride_bp(self, split: str) -> int:
        """Distance between window starts in `split`."""
        stride: int | None = getattr(self.strides, split)
        return self.target_bp if stride is None else stride

    @model_validator(mode="after")
    def _check_together(self) -> "DatasetConfig":
        """Every rule that ties two fields; all broken ones are told at once."""
        problems = list(self._broken_rules())
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _broken_rules(self) -> list[str]:
        problems = []
        if self.window_bp % self.bin_bp:
            nearest = max(1, round(self.window_bp / self.bin_bp)) * self.bin_bp
            problems.append(
                f"window_bp {self.window_bp} is not a multiple of bin_bp {self.bin_bp}; use for example {nearest}"
            )
        if self.target_bp <= 0:
            bins = self.window_bp // self.bin_bp
            problems.append(f"crop_bins {self.crop_bins} at each end leaves no bin of the {bins} in a window")
        if isinstance(self.split, SplitByFraction | SplitByFolds) and self.break_bp < self.window_bp:
            problems.append(f"break_bp {self.break_bp} is shorter than window_bp {self.window_bp}; make it as long")
        if 2 * self.max_shift_bp >= self.window_bp:
            problems.append(f"max_shift_bp {self.max_shift_bp} is half of window_bp {self.window_bp} or more")
        if isinstance(self.split, SplitByFolds) and len({self.stride_bp(split) for split in SPLITS}) > 1:
            problems.append("strides differ between splits, but folds change roles; give all three the same stride")
        if isinstance(self.split, SplitByRegions):
            problems += [
                f"{name} has no effect on split by regions; change the regions themselves"
                for name in ("include", "exclude", "keep_mitochondria", "gaps")
                if getattr(self, name)
            ]
        if self.codec != "zstd" and self.compression_level > 9:
            problems.append(f"compression_level {self.compression_level} is too high for {self.codec}; needed 1 to 9")
        return problems
