"""What an import is told: where public data lie, and how they are to be kept."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from regact.dataset.config import DatasetConfig, SplitAsImported


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BasenjiSource(_Settings):
    """A data directory of Basenji, Basenji2 or Borzoi: statistics.json, targets.txt, sequences.bed, tfrecords."""

    format: Literal["basenji"] = "basenji"
    directory: Path = Field(description="The data directory.")
    not_finite: Literal["stop", "clip"] = Field(
        default="stop", description="Of inf and NaN among the targets: stop, or take inf as the clip and NaN as 0."
    )


class BasenjiH5Source(_Settings):
    """The HDF5 of Basenji's paper of 2018 (`l131k_w128.h5`)."""

    format: Literal["basenji_h5"] = "basenji_h5"
    file: Path = Field(description="The HDF5 file.")
    bed: Path | None = Field(default=None, description="Where its sequences lie: chrom, start, end, set.")
    samples: Path | None = Field(default=None, description="Its samples: identifier, file, label (sample_wigs.txt).")
    not_finite: Literal["stop", "clip"] = Field(
        default="stop", description="Of inf and NaN among the targets: stop, or take inf as 65,504 and NaN as 0."
    )


Source = Annotated[BasenjiSource | BasenjiH5Source, Field(discriminator="format")]


class StorageSettings(_Settings):
    """What of a store's settings does not come with the data; each as in `DatasetConfig`."""

    split: SplitAsImported = SplitAsImported()
    max_shift_bp: int = Field(default=3, ge=0)
    codec: Literal["zstd", "blosc_zstd", "blosc_lz4"] = "zstd"
    compression_level: int = Field(default=1, ge=1, le=22)

    @classmethod
    def of(cls, config: DatasetConfig) -> "StorageSettings":
        """Those of an experiment's dataset."""
        return cls.model_validate({name: getattr(config, name) for name in cls.model_fields})

    def with_windows(self, *, window_bp: int, bin_bp: int, crop_bins: int) -> DatasetConfig:
        """The settings of a store whose data say its windows."""
        return DatasetConfig(window_bp=window_bp, bin_bp=bin_bp, crop_bins=crop_bins, **dict(self))
