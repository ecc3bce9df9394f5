"""The `tune` part of an experiment: which settings are searched, where, and for how long."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, field_validator, model_validator


class Domain(BaseModel):
    """Where one setting is searched: values to choose from, or a range of numbers.

    {choose: [1, 2, 5]}                               # one of these; a list is one value
    {low: 1e-4, high: 1e-2, log: true}                # even in the logarithm; whole where the setting is
    {low: 8, high: 64, step: 8}
    {low: 0.005, high: 0.5, log: true, length: 5}     # a list: the range in five equal parts, a number from each
    {scale: [0.01, 0.1], low: 0.25, high: 4}          # a list: these numbers times one factor from the range
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    choose: tuple[Any, ...] | None = None
    low: float | None = None
    high: float | None = None
    log: bool = False
    step: PositiveFloat | None = None
    length: PositiveInt | None = None
    scale: tuple[float, ...] | None = Field(default=None, min_length=1)

    @field_validator("choose")
    @classmethod
    def _read_exponents(cls, choose: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        return None if choose is None else tuple(_number_or_same(value) for value in choose)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = self.model_fields_set
        if self.choose is not None:
            if others := sorted(given - {"choose"}):
                raise ValueError(f"choose stands alone; leave out {', '.join(others)}")
            if not self.choose or len({repr(value) for value in self.choose}) < len(self.choose):
                raise ValueError(f"choose {list(self.choose)}; needed different values, at least one")
            return self
        if self.low is None or self.high is None:
            raise ValueError("needed {choose: [...]} or {low: ..., high: ...}")
        if not self.low < self.high:
            raise ValueError(f"low {self.low:g} is not below high {self.high:g}")
        if self.log and self.low <= 0:
            raise ValueError(f"low {self.low:g} has no logarithm; needed a low above 0")
        if (self.log, self.length is not None, self.scale is not None).count(True) > 0 and self.step is not None:
            raise ValueError("step goes with a plain range of one number; leave it out")
        if self.length is not None and self.scale is not None:
            raise ValueError("length draws a list, scale multiplies one; leave one of them out")
        return self


class TuningConfig(BaseModel):
    """A search for better settings: trials that each train the experiment with other values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ready_space: Literal["paper"] | None = Field(
        default=None,
        description="search space to begin with; paper: what section 4.2 tuned, as far as the model has it",
    )
    space: dict[str, Domain] = Field(default={}, description="setting by its path -> where it is searched")
    trials: PositiveInt = Field(default=40, description="of the whole study, all its workers together")
    sampler: Literal["tpe", "random"] = Field(default="tpe", description="tree-structured Parzen estimator, or chance")
    startup_trials: PositiveInt = Field(
        default=8, description="trials drawn by chance before tpe begins; as many are through before any is pruned"
    )
    pruner: Literal["median", "halving", "none"] = Field(
        default="median",
        description="end a trial whose best score is below the median at its epoch; or not in the best third (halving)",
    )
    warmup_epochs: PositiveInt = Field(default=1, description="no trial is pruned before it has done so many")
    seed: int = Field(default=0, ge=0, description="decides what is drawn, given the trials before")


def _number_or_same(value: Any) -> Any:
    """`1e-4` is text in YAML 1.1, which wants `1.0e-4`; here it is the number that it looks like."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value
