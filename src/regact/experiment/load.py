"""One YAML file as an experiment, checked as a whole before any work.

    name: yeast
    genome: ${data}/yeast/genome.fa.gz     # input paths are relative to this file
    tracks: ${data}/yeast/targets.txt
    source: {format: basenji, directory: human}  # instead of tracks (genome may stay): public data to import
    store: stores/yeast                    # an output: relative to the working directory
    dataset: {window_bp: 16384, ...}       # DatasetConfig
    model: {preset: basenji, width: 0.3}   # ModelConfig
    training: {epochs: 20, ...}            # TrainingConfig
    transfer: {run: runs/basenji}          # TransferConfig: an earlier run to start from, in the working directory
    weights: {format: keras, file: model.h5, params: params.json}  # to import as that run, where it is not there yet
    compare:                               # ComparisonConfig, for `regact compare`
      models: [standard, {preset: basenji, dilated_layers: 6}]

`${data}` stands for `--data`, else for the environment variable REGACT_DATA.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from regact.errors import ConfigError
from regact.experiment.comparison_config import ComparisonConfig
from regact.experiment.experiment import Experiment
from regact.settings import check_settings, override, read_yaml

DATA_VARIABLE = "REGACT_DATA"
Settings = TypeVar("Settings", bound=BaseModel)
_OUTPUTS = {"store", "run"}  # what regact wrote or will write: paths that are relative to the working directory


def load_experiment(
    path: str | Path,
    *,
    data: str | Path | None = None,
    model: str | None = None,
    seed: int | None = None,
    overrides: Sequence[str] = (),
) -> Experiment:
    """Read and check an experiment; nothing is written. Models to compare are checked when they are compared.

    Args:
        path: The YAML file.
        data: What `${data}` stands for; without it, the environment variable REGACT_DATA.
        model: Another model than the experiment's: one that its `compare` section names, or a preset.
        seed: What all that is random is drawn by, as in a comparison over seeds (`Experiment.with_seed`).
        overrides: `field=value` with dots (`model.width=0.5`), value in YAML; as `--set` on the command line.

    Raises:
        ConfigError: with every problem at once: keys that are unknown (and the nearest valid one), twice there or
            missing, values of a wrong type or range, `${data}` without a value, input files that do not exist.
    """
    path = Path(path)
    values, problems = read_yaml(path)
    if model is not None:
        _choose_model(values, model)
    problems += [problem for text in overrides if (problem := override(values, text))]
    _fill_in_data(values, os.environ.get(DATA_VARIABLE) if data is None else str(Path(data).absolute()), "", problems)
    experiment, more = check_settings(Experiment, values)
    problems += more
    if experiment is not None:
        experiment = _resolve(experiment, path.parent.absolute())
        problems += [f"{field}: {file} does not exist" for field, file in _inputs(experiment) if _is_missing(file)]
        problems += [f"model: {problem}" for problem in experiment.model_problems()]
    if problems or experiment is None:
        raise ConfigError(path, problems)
    return experiment if seed is None else experiment.with_seed(seed)


def _choose_model(values: dict[str, Any], title: str) -> None:
    """Make the model of that name in the `compare` section, or the preset, the experiment's own, in place."""
    comparison, _ = check_settings(ComparisonConfig, values.get("compare") or {})  # its problems are told later
    compared = comparison.model(title) if comparison else None
    common = values.get("model") or {}
    if isinstance(common, dict):
        values["model"] = common | (compared.overrides if compared else {"preset": title})


def _fill_in_data(values: Any, data: str | None, field: str, problems: list[str]) -> Any:
    """Replace `${data}` everywhere in `values`, in place; say which fields lack it."""
    if isinstance(values, dict):
        for key in values:
            values[key] = _fill_in_data(values[key], data, f"{field}.{key}".lstrip("."), problems)
    elif isinstance(values, list):
        values[:] = [_fill_in_data(value, data, f"{field}.{i}", problems) for i, value in enumerate(values)]
    elif isinstance(values, str) and "${data}" in values:
        if data:
            return values.replace("${data}", data)
        problems.append(f"{field}: ${{data}} has no value; say --data FOLDER or set {DATA_VARIABLE}")
    return values


def _resolve(settings: Settings, folder: Path) -> Settings:
    """The same settings with every path absolute: inputs from `folder`, outputs from the working directory."""
    changed: dict[str, Any] = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            resolved: Any = _resolve(value, folder)
        elif isinstance(value, Path):
            start = Path.cwd() if name in _OUTPUTS else folder
            resolved = Path(os.path.normpath(start / value.expanduser()))
        else:
            continue
        if resolved != value:  # what was not set stays so
            changed[name] = resolved
    return settings.model_copy(update=changed)


def _inputs(settings: BaseModel, prefix: str = "") -> list[tuple[str, Path]]:
    """Every input file with the path of its field."""
    found: list[tuple[str, Path]] = []
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            found += _inputs(value, f"{prefix}{name}.")
        elif isinstance(value, Path) and name not in _OUTPUTS:
            found.append((prefix + name, value))
    return found


def _is_missing(file: Path) -> bool:
    return not file.exists() and "${data}" not in str(file)  # `${data}` without a value has been told already
