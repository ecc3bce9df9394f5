"""The `compare` part of an experiment: which models stand side by side, how long they train, where they are judged."""

from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from regact.model import ModelConfig
from regact.training import TrainingConfig

# The rows of the paper's Figure 6, in its order.
FIGURE_6 = (
    "basenji",
    "attention_two_sided",
    "attention_stacked",
    "attention_variable",
    "attention_variable_16",
    "exp_constant",
    "exp_variable",
    "standard",
    "attention_none",
)
# Every distance function with plain pooling and with attention, and there before and after the softmax, which are the
# same without a distance function. A cell that is a preset has its name.
GRID: tuple[dict[str, Any], ...] = (
    {"name": "exp_none", "preset": "exp_variable", "distance": "none", "heads": 1},  # all heads would be the same
    {"preset": "exp_constant"},
    {"preset": "exp_variable"},
    {"name": "exp_two_sided", "preset": "exp_variable", "distance": "two_sided"},
    {"preset": "attention_none"},
    {"name": "attention_constant", "preset": "attention_variable", "distance": "constant"},
    {"preset": "attention_variable"},
    {"preset": "attention_two_sided"},
    {
        "name": "attention_constant_after",
        "preset": "attention_variable",
        "distance": "constant",
        "distance_place": "after_softmax",
    },
    {"name": "attention_variable_after", "preset": "attention_variable", "distance_place": "after_softmax"},
    {"name": "attention_two_sided_after", "preset": "attention_two_sided", "distance_place": "after_softmax"},
)
_SETS: dict[str, tuple[dict[str, Any], ...]] = {
    "presets": tuple({"preset": name} for name in FIGURE_6),
    "grid": GRID,
}
_PATIENCE = 10  # where the training section has none
_WITHOUT_END = 1_000_000  # epochs


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
    epochs: PositiveInt | None = Field(default=None, description="of its training; without it, the models' budget")
    freeze_epochs: int = Field(default=0, ge=0, description="as transfer.freeze_epochs, in every model")
    keep_bins: bool = Field(default=False, description="as transfer.keep_bins, in every model")
    rate_factor: float = Field(default=1.0, gt=0, description="as transfer.rate_factor, in every model")


class Budget(BaseModel):
    """How long every model is trained: `{epochs: 4}`, `{seconds: 300}`, or the word `converged`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: PositiveInt | None = Field(default=None, description="each for as many passes over the training windows")
    seconds: PositiveFloat | None = Field(
        default=None,
        description="each for as long by the clock, validation included",
    )
    converged: bool = Field(
        default=False,
        description="each until it is no better in training.patience epochs, training.epochs at most",
    )

    @model_validator(mode="before")
    @classmethod
    def _converged_alone(cls, value: Any) -> Any:
        return {"converged": True} if value == "converged" else value

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.epochs is not None) + (self.seconds is not None) + self.converged != 1:
            raise ValueError("needed one of {epochs: N}, {seconds: N} and converged")
        return self

    def limit(self, training: TrainingConfig) -> TrainingConfig:
        """The training settings with this limit and no other.

        Raises: ValueError where the learning rate's schedule needs an end that this budget does not know.
        """
        limits: dict[str, Any] = {"max_steps": None, "max_minutes": None, "patience": None}
        if self.epochs is not None:
            return training.model_copy(update=limits | {"epochs": self.epochs})
        if self.converged:
            return training.model_copy(update=limits | {"patience": training.patience or _PATIENCE})
        if training.schedule != "constant":
            raise ValueError(
                f"a budget in seconds has no last step at which training.schedule {training.schedule} could end; "
                "needed schedule: constant, or a budget in epochs"
            )
        seconds = self.seconds or 0.0
        return training.model_copy(update=limits | {"epochs": _WITHOUT_END, "max_minutes": seconds / 60})


class ComparisonConfig(BaseModel):
    """Models trained on one dataset under one budget, each once for every seed.

    In YAML, among `models` or instead of the list, `presets` stands for the nine models of the paper's Figure 6 and
    `grid` for every distance function with pooling and attention, before and after the softmax; a model listed besides
    takes the place of the one of its name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: tuple[ComparedModel, ...] = ()
    seeds: tuple[NonNegativeInt, ...] = Field(
        default=(), description="each model is trained once with each; without any, once with training.seed"
    )
    budget: Budget | None = Field(default=None, description="without it, the limits of the training section")
    splits: tuple[Literal["train", "valid", "test"], ...] = Field(
        default=("valid", "test"), min_length=1, description="where models are judged; the report is on the last"
    )
    baseline: bool = Field(default=True, description="judge the ridge regression on 4-mers too, the floor")

    pretrain: PretrainConfig | None = Field(default=None, description="start every model from one trained tower")

    @field_validator("models", mode="before")
    @classmethod
    def _sets_by_name(cls, models: Any) -> Any:
        models = [models] if isinstance(models, str) else models
        if not isinstance(models, list | tuple) or not any(isinstance(m, str) and m in _SETS for m in models):
            return models
        listed = [model for model in models if not (isinstance(model, str) and model in _SETS)]
        of_sets = {_title(m): m for name in models if isinstance(name, str) for m in _SETS.get(name, ())}
        own = {_title(model): model for model in reversed(listed)}
        further = [m for m in listed if _title(m) not in of_sets or own[_title(m)] is not m]
        return [*(own.get(title, model) for title, model in of_sets.items()), *further]

    @field_validator("seeds")
    @classmethod
    def _seeds_differ(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) < len(seeds):
            raise ValueError(f"{', '.join(map(str, seeds))}: a seed stands there twice")
        return seeds

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


def _title(model: Any) -> Any:
    """The name of a model as it stands in the YAML."""
    if isinstance(model, dict):
        return str(model.get("name") or model.get("preset"))
    return model.title if isinstance(model, ComparedModel) else model
