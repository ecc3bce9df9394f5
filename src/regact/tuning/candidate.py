"""An experiment with other values of some settings, named by their paths."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from regact.errors import ConfigError
from regact.experiment import Experiment
from regact.settings import check_settings

Settings = TypeVar("Settings", bound=BaseModel)


def candidate(experiment: Experiment, values: Mapping[str, Any], *, stores: Path) -> Experiment:
    """The experiment with the settings `values` (path -> value).

    Where one of them is the dataset's, it has a store of its own in `stores`, the same for the same dataset.

    Raises: ConfigError where they do not fit each other.
    """
    changed, problems = with_values(experiment, values)
    problems = problems if changed is None else changed.model_problems()
    if changed is None or problems:
        raise ConfigError("the settings of this trial", problems)
    if any(path.startswith("dataset.") for path in values):
        name = hashlib.sha256(changed.dataset.model_dump_json().encode()).hexdigest()[:12]
        changed = changed.model_copy(update={"store": stores.absolute() / name})
    return changed


def with_values(settings: Settings, values: Mapping[str, Any]) -> tuple[Settings | None, list[str]]:
    """The same settings with other values by their paths, checked; None and the problems where they do not fit.

    What was left out of the settings stays left out: for a model, that says which overrides are meant for its preset.
    """
    given = {name: getattr(settings, name) for name in settings.model_fields_set}
    inner: dict[str, dict[str, Any]] = {}
    for path, value in values.items():
        field, _, rest = path.partition(".")
        if rest:
            inner.setdefault(field, {})[rest] = value
        else:
            given[field] = value
    problems = []
    for field, group in inner.items():
        given[field], found = with_values(getattr(settings, field), group)
        problems += [f"{field}.{problem}" for problem in found]
    return (None, problems) if problems else check_settings(type(settings), given)
