"""The `compare` part of an experiment: which models stand side by side, and where they are judged."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, field_validator, model_validator

from regact.model import ModelConfig


class ComparedModel(ModelConfig):
    """One model of a comparison: what differs from the experiment's `model` section.

    In YAML a mapping, or the name of a preset alone. Its name is its preset's where it has none of its own.
    """

    name: str = Field(default="", pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*)?$", description="names its run and its row")

    @model_validator(mode="before")
    @classmethod
    def _preset_alone(cls, value: Any) -> Any:
        return {"preset": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _has_a_name(self) -> Self:
        if not self.title:
            raise ValueError("neither name nor preset is given")
        return self

    @property
    def title(self) -> str:
        """Its name, else its preset."""
        return self.name or (self.preset if "preset" in self.model_fields_set else "")

    def over(self, common: ModelConfig) -> ModelConfig:
        """The model in full: what is set here, over what is set in `common`."""
        return ModelConfig.model_validate(common.model_dump(exclude_unset=True) | self.overrides)

    @property
    def overrides(self) -> dict[str, Any]:
        """What is set here, as fields of `ModelConfig`."""
        return self.model_dump(exclude_unset=True, exclude={"name"})


class PretrainConfig(BaseModel):
    """A tower trained once and given to every model of a comparison, as the paper does (4.2, 6)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ComparedModel = Field(default=ComparedModel(preset="basenji"), description="the model that it is trained in")
    epochs: PositiveInt | None = Field(default=None, description="of its training; without it, training.epochs")
    freeze_epochs: int = Field(default=0, ge=0, description="as transfer.freeze_epochs, in every model")
    rate_factor: float = Field(default=1.0, gt=0, description="as transfer.rate_factor, in every model")


class ComparisonConfig(BaseModel):
    """Models trained on one dataset under one budget: that of the `training` section.

    They are trained for `epochs`, each for as many; or, with a `patience`, until they are no better for so long.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: tuple[ComparedModel, ...] = ()
    splits: tuple[Literal["train", "valid", "test"], ...] = Field(
        default=("valid", "test"), min_length=1, description="where models are judged; the report is on the last"
    )
    baseline: bool = Field(default=True, description="judge the ridge regression on 4-mers too, the floor")

    pretrain: PretrainConfig | None = Field(default=None, description="start every model from one trained tower")

    @field_validator("models")
    @classmethod
    def _names_differ(cls, models: tuple[ComparedModel, ...]) -> tuple[ComparedModel, ...]:
        titles = [model.title for model in models]
        if twice := sorted({title for title in titles if titles.count(title) > 1}):
            raise ValueError(f"{', '.join(twice)} stands there twice; give them a `name` each")
        return models

    def model(self, title: str) -> ComparedModel | None:
        """The model of that name, None where there is none."""
        return next((model for model in self.models if model.title == title), None)
