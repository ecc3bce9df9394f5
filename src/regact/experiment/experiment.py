"""What decides a training run, and a comparison of several, as one frozen object."""

from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from regact.dataset import DatasetConfig, SplitAsImported
from regact.dataset.basenji.config import Source, StorageSettings
from regact.errors import ConfigError
from regact.experiment.comparison_config import ComparedModel, ComparisonConfig
from regact.experiment.tuning_config import TuningConfig
from regact.experiment.weights_config import Weights
from regact.model import ModelConfig, ModelSpec, model_spec
from regact.training.config import TrainingConfig
from regact.training.transfer import NO_TRANSFER, TransferConfig


class Experiment(BaseModel):
    """Everything that decides a training run; frozen, unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="names folders and tables")
    source: Source | None = Field(default=None, description="public data to import, instead of tracks on a genome")
    genome: Path | None = Field(
        default=None, validate_default=True, description="FASTA: plain, gzip or bgzip; a source may do without"
    )
    tracks: Path | None = Field(default=None, validate_default=True, description="track sheet; a source has its own")
    contig_alias: str | None = Field(default=None, description="as --contig-alias")
    store: Path | None = Field(default=None, description="where the built dataset lies; stores/NAME without it")
    dataset: DatasetConfig = DatasetConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    transfer: TransferConfig = NO_TRANSFER
    weights: Weights | None = Field(
        default=None, description="published weights to import as transfer.run, where that is not there yet"
    )
    compare: ComparisonConfig = ComparisonConfig()
    tune: TuningConfig = TuningConfig()

    @model_validator(mode="before")
    @classmethod
    def _split_comes_with_the_source(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("source") is not None:
            dataset = values.get("dataset") or {}
            if isinstance(dataset, dict):
                return values | {"dataset": {"split": {"by": "imported"}} | dataset}
        return values

    @field_validator("genome", "tracks")
    @classmethod
    def _data_are_given_once(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        source = info.data.get("source")
        if value is None and source is None and "source" in info.data:
            raise PydanticCustomError("missing", "Field required")  # as of any field without a default
        if value is not None and source is not None and info.field_name == "tracks":
            raise ValueError("tracks come with the source; leave them out")
        return value

    @model_validator(mode="after")
    def _dataset_is_the_sources(self) -> Self:
        if (self.source is not None) != isinstance(self.dataset.split, SplitAsImported):
            raise ValueError(f"dataset.split by {self.dataset.split.by}; needed by imported with a source, only there")
        if self.source is not None:
            stored = {"window_bp", "bin_bp", "crop_bins", *StorageSettings.model_fields}
            changed = [
                name
                for name, field in type(self.dataset).model_fields.items()
                if name not in stored and getattr(self.dataset, name) != field.default
            ]
            if changed:
                raise ValueError(f"dataset.{', dataset.'.join(changed)}: imported data are as they are; leave it out")
        return self

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        shift, allowed = self.training.augmentation.max_shift_bp, self.dataset.max_shift_bp
        if shift > allowed:
            raise ValueError(f"training.augmentation.max_shift_bp {shift} is above dataset.max_shift_bp {allowed}")
        if self.weights is not None and self.transfer.run is None:
            raise ValueError("weights without transfer.run; needed where they shall be imported to")
        self.under_budget()
        return self

    @property
    def store_path(self) -> Path:
        """Where the built dataset lies or will lie."""
        return self.store or Path("stores") / self.name

    @property
    def inputs(self) -> tuple[Path, Path]:
        """Genome and track sheet of a dataset that is built.

        Raises: ConfigError for one that is imported.
        """
        if self.genome is None or self.tracks is None:
            raise ConfigError(f"experiment {self.name}", ["its data are imported; genome and tracks are not given"])
        return self.genome, self.tracks

    def model_spec(self, n_tracks: int) -> ModelSpec:
        """The network in full.

        Raises: ConfigError where model and dataset do not fit each other.
        """
        return model_spec(
            self.model,
            tracks=n_tracks,
            window_bp=self.dataset.window_bp,
            crop_bins=self.dataset.crop_bins,
            bin_bp=self.dataset.bin_bp,
        )

    def model_problems(self) -> list[str]:
        """What does not fit between dataset and model, one sentence each."""
        try:
            self.model_spec(n_tracks=1)
        except ConfigError as error:
            return list(error.problems)
        except ValidationError as error:
            return [problem["msg"] for problem in error.errors()]
        return []

    def with_model(self, model: ComparedModel) -> "Experiment":
        """The same experiment with one of the models of its comparison as its own."""
        return self.model_copy(update={"model": model.over(self.model)})

    def under_budget(self) -> "Experiment":
        """The same experiment with the limits of its comparison's budget, where that has one.

        Raises: ValueError where budget and training settings do not fit each other.
        """
        budget = self.compare.budget
        return self.model_copy(update={"training": budget.limit(self.training)}) if budget else self

    def with_seed(self, seed: int) -> "Experiment":
        """The same with all that is random drawn by `seed`, the heads' start too where `model.seed` is not set."""
        model = self.model if "seed" in self.model.model_fields_set else self.model.model_copy(update={"seed": seed})
        return self.model_copy(update={"model": model, "training": self.training.model_copy(update={"seed": seed})})

    def settings(self) -> dict[str, Any]:
        """All that decides a run, defaults included and paths absolute, as plain values for a YAML file.

        Of the model only what was set: other fields have no meaning for its preset. The weights hold its spec in full.
        """
        of_run = self.model.run is not None
        named = {} if of_run else {"preset": self.model.preset}
        model = named | self.model.model_dump(mode="json", exclude_unset=True)
        return self.model_dump(mode="json", exclude={"compare", "tune"}) | {"model": model}
