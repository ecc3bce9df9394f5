"""The search space of an experiment: what is drawn for a trial, and the settings that follow from it.

A path (`model.heads`) names a setting as in the YAML file. A setting that is a list of numbers is drawn element by
element, so one path can have several dimensions.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from regact.errors import ConfigError
from regact.experiment import Domain, Experiment, TuningConfig
from regact.settings import check_settings, read_yaml
from regact.tuning.candidate import with_values
from regact.tuning.paper_space import paper_space

# The score and what it is measured on must be the same for all trials.
_FIXED = ("training.judged_by", "dataset.split")
_DRAWS = 24  # combinations tried for each value before it is said to fit with none


@dataclass(frozen=True)
class Dimension:
    """One thing that is drawn: one of `labels`, or a number from `low` to `high`, both included."""

    name: str
    labels: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    step: float | None = None
    whole: bool = False

    def at(self, share: float) -> Any:
        """The value that lies so far (0 to 1) along the dimension."""
        if self.labels:
            return self.labels[min(int(share * len(self.labels)), len(self.labels) - 1)]
        if self.log:
            value = math.exp(math.log(self.low) + share * (math.log(self.high) - math.log(self.low)))
        else:
            value = self.low + share * (self.high - self.low)
        if self.step:
            value = self.low + self.step * round((value - self.low) / self.step)
        value = min(max(value, self.low), self.high)
        return round(value) if self.whole else value

    def share(self, value: Any) -> float:
        """How far along the dimension a value lies, from 0 to 1: what a drawing needs."""
        if self.labels:
            return self.labels.index(value) / max(1, len(self.labels) - 1)
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class SearchSpace:
    """Domains by path, and which of them hold whole numbers; made by `search_space`, which checks them."""

    domains: Mapping[str, Domain]
    whole: frozenset[str] = frozenset()

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        """All that is drawn, in the order of the paths."""
        return tuple(dimension for path in self.domains for dimension in self._of(path))

    def values(self, drawn: Mapping[str, Any]) -> dict[str, Any]:
        """The settings by their paths, from what was drawn for each dimension."""
        return {path: self._value(path, [drawn[part.name] for part in self._of(path)]) for path in self.domains}

    def edges(self, path: str) -> Iterator[dict[str, Any]]:
        """What to draw for each value that `path` can choose, or for either end of its range."""
        dimensions = self._of(path)
        ends = len(dimensions[0].labels) or 2
        for index in range(ends):
            yield {dimension.name: dimension.at(index / max(1, ends - 1)) for dimension in dimensions}

    def _of(self, path: str) -> Sequence[Dimension]:
        domain, whole = self.domains[path], path in self.whole
        if domain.choose is not None:
            return [Dimension(path, labels=tuple(map(label, domain.choose)))]
        low, high = domain.low or 0.0, domain.high or 0.0
        plain = Dimension(path, low=low, high=high, log=domain.log, step=domain.step, whole=whole)
        if domain.scale is not None:
            return [Dimension(f"{path} x", low=low, high=high, log=domain.log)]
        if domain.length is None:
            return [plain]
        limits = [plain.at(share) for share in np.linspace(0, 1, domain.length + 1)]
        return [
            Dimension(f"{path}[{index}]", low=left, high=right, log=domain.log, whole=whole)
            for index, (left, right) in enumerate(pairwise(limits))
        ]

    def _value(self, path: str, drawn: Sequence[Any]) -> Any:
        domain = self.domains[path]
        if domain.choose is not None:
            return domain.choose[list(map(label, domain.choose)).index(drawn[0])]
        if domain.scale is not None:
            scaled = [number * drawn[0] for number in domain.scale]
            return [round(number) for number in scaled] if path in self.whole else scaled
        return list(drawn) if domain.length is not None else drawn[0]


def label(value: Any) -> str:
    """A value as tables, drawings and the study's storage show it."""
    if isinstance(value, list | tuple):
        return ",".join(map(label, value))
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def search_space(experiment: Experiment) -> SearchSpace:
    """The space of an experiment's `tune` section, checked against the experiment.

    Raises: ConfigError with every problem at once: paths that lead to no setting (and the nearest that do), settings
        that may not change between trials, values that a setting does not take, values that fit with no draw of the
        others.
    """
    domains = (paper_space(experiment) if experiment.tune.ready_space else {}) | experiment.tune.space
    problems = [] if domains else ["no search space; needed `space:` with settings by path, or `ready_space: paper`"]
    whole = set()
    for path, domain in domains.items():
        found = _check_path(experiment, path)
        if not found:
            whole |= {path} if _is_whole(experiment, path, domain) else set()
            found = _check_values(experiment, path, SearchSpace({path: domain}, frozenset(whole)))
        problems += found
    space = SearchSpace(domains, frozenset(whole))
    problems = problems or _check_fit(experiment, space)
    if problems:
        raise ConfigError(f"experiment {experiment.name}: tune", problems)
    return space


def with_space(experiment: Experiment, space: str | Path) -> Experiment:
    """The experiment with another search space: `paper`, or a YAML file with a line `path: domain` for each setting.

    Raises: ConfigError with every problem of the file at once.
    """
    if str(space) == "paper":
        return _with_tune(experiment, ready_space="paper", space={})
    values, problems = read_yaml(space)
    tune, more = check_settings(TuningConfig, {"space": values})
    if tune is None or problems:
        raise ConfigError(space, [*problems, *(problem.removeprefix("space.") for problem in more)])
    return _with_tune(experiment, ready_space=None, space=tune.space)


def _with_tune(experiment: Experiment, **fields: Any) -> Experiment:
    return experiment.model_copy(update={"tune": experiment.tune.model_copy(update=fields)})


def _owner(experiment: Experiment, path: str) -> BaseModel:
    owner: BaseModel = experiment
    for part in path.split(".")[:-1]:
        owner = getattr(owner, part)
    return owner


def _check_path(experiment: Experiment, path: str) -> list[str]:
    """What is wrong with the path itself."""
    owner: BaseModel = experiment
    parts = path.split(".")
    for index, part in enumerate(parts):
        known = list(type(owner).model_fields)
        if part not in known:
            near = get_close_matches(part, known, n=1)
            hint = f"did you mean {'.'.join([*parts[:index], near[0]])}?" if near else f"known: {', '.join(known)}"
            return [f"space.{path}: no such setting; {hint}"]
        value = getattr(owner, part)
        if index < len(parts) - 1 and not isinstance(value, BaseModel):
            return [f"space.{path}: {'.'.join(parts[: index + 1])} is no group of settings"]
        if index == len(parts) - 1 and isinstance(value, BaseModel):
            return [f"space.{path}: a group of settings; needed one of {', '.join(type(value).model_fields)} in it"]
        owner = value
    if len(parts) == 1 or parts[0] in ("compare", "tune"):
        return [f"space.{path}: cannot be tuned; needed a setting of dataset, model, training or transfer"]
    if any(path == fixed or path.startswith(f"{fixed}.") for fixed in _FIXED):
        return [f"space.{path}: decides what trials are judged by, and must be the same for all"]
    return []


def _check_values(experiment: Experiment, path: str, space: SearchSpace) -> list[str]:
    """What the setting does not take of the domain's values, one by one."""
    domain, owner, name = space.domains[path], _owner(experiment, path), path.rpartition(".")[2]
    problems = [
        f"space.{path}: {label(value)} is not for this setting ({found[0]})"
        for edge in space.edges(path)
        if (found := _refusals(owner, name, value := space.values(edge)[path]))
    ]
    limits = {"low": domain.low, "high": domain.high, "step": domain.step}
    if not problems and path in space.whole and domain.scale is None:
        problems += [
            f"space.{path}: {limit} is {number:g}; needed a whole number, as the setting is one"
            for limit, number in limits.items()
            if number is not None and number != int(number)
        ]
    return problems


def _is_whole(experiment: Experiment, path: str, domain: Domain) -> bool:
    """Whether the setting refuses a number with a fraction from within the range."""
    if domain.choose is not None:
        return False
    low, high = domain.low or 0.0, domain.high or 0.0
    inside = low + 0.414 * (high - low)
    number = inside + 0.001 * (high - low) * (inside == int(inside))
    fraction = [number] * (domain.length or len(domain.scale or ())) or number
    return bool(_refusals(_owner(experiment, path), path.rpartition(".")[2], fraction))


def _refusals(owner: BaseModel, name: str, value: Any) -> list[str]:
    _, problems = check_settings(type(owner), {name: value})
    return [problem.partition(": ")[2] for problem in problems if problem.partition(":")[0].split(".")[0] == name]


def _check_fit(experiment: Experiment, space: SearchSpace) -> list[str]:
    """Values that fit with no draw of the other settings."""
    random = np.random.default_rng(0)
    problems = []
    for path in space.domains:
        for edge in space.edges(path):
            found: list[str] = []
            for _ in range(_DRAWS):
                drawn = {dimension.name: dimension.at(random.random()) for dimension in space.dimensions} | edge
                found = _misfits(experiment, space.values(drawn))
                if not found:
                    break
            if found:
                value = label(space.values(drawn)[path])
                problems.append(f"space.{path}: {value} fits with no draw of the other settings ({found[0]})")
    return problems


def _misfits(experiment: Experiment, values: Mapping[str, Any]) -> list[str]:
    changed, problems = with_values(experiment, values)
    return problems if changed is None else changed.model_problems()
