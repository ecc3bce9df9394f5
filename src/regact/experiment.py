"""One YAML file = data + model + training, checked as a whole before any work.

    name: yeast
    genome: ${data}/yeast/genome.fa.gz     # input paths are relative to this file
    tracks: ${data}/yeast/targets.txt
    store: stores/yeast                    # an output: relative to the working directory
    dataset: {window_bp: 16384, ...}       # DatasetConfig
    model: {preset: basenji, width: 0.3}   # ModelConfig
    training: {epochs: 20, ...}            # TrainingConfig

`${data}` stands for `--data`, else for the environment variable REGACT_DATA.
"""

import os
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from regact.dataset import DatasetConfig
from regact.errors import ConfigError
from regact.model import ModelConfig, ModelSpec, model_spec
from regact.train.config import TrainingConfig

DATA_VARIABLE = "REGACT_DATA"
Settings = TypeVar("Settings", bound=BaseModel)
_OUTPUTS = {"store"}  # paths that are relative to the working directory


class Experiment(BaseModel):
    """Everything that decides a training run; frozen, unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="names folders and tables")
    genome: Path = Field(description="FASTA: plain, gzip or bgzip")
    tracks: Path = Field(description="track sheet")
    contig_alias: str | None = Field(default=None, description="as --contig-alias")
    store: Path | None = Field(default=None, description="where the built dataset lies; stores/NAME without it")
    dataset: DatasetConfig = DatasetConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        shift, allowed = self.training.augmentation.max_shift_bp, self.dataset.max_shift_bp
        if shift > allowed:
            raise ValueError(f"training.augmentation.max_shift_bp {shift} is above dataset.max_shift_bp {allowed}")
        return self

    @property
    def store_path(self) -> Path:
        """Where the built dataset lies or will lie."""
        return self.store or Path("stores") / self.name

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

    def settings(self) -> dict[str, Any]:
        """All settings, defaults included and paths absolute, as plain values for a YAML file."""
        return self.model_dump(mode="json")


def load_experiment(path: str | Path, *, data: str | Path | None = None, overrides: Sequence[str] = ()) -> Experiment:
    """Read and check an experiment; nothing is written.

    Args:
        path: The YAML file.
        data: What `${data}` stands for; without it, the environment variable REGACT_DATA.
        overrides: `field=value` with dots (`model.width=0.5`), value in YAML; as `--set` on the command line.

    Raises:
        ConfigError: with every problem at once: keys that are unknown (and the nearest valid one), twice there or
            missing, values of a wrong type or range, `${data}` without a value, input files that do not exist.
    """
    path = Path(path)
    values, problems = _read_yaml(path)
    problems += [problem for text in overrides if (problem := _override(values, text))]
    _fill_in_data(values, os.environ.get(DATA_VARIABLE) if data is None else str(data), "", problems)
    experiment: Experiment | None = None
    try:
        experiment = Experiment.model_validate(values)
    except ValidationError as error:
        problems += [_explain(problem, values) for problem in error.errors()]
    if experiment is not None:
        experiment = _resolve(experiment, path.parent.absolute())
        problems += [f"{field}: {file} does not exist" for field, file in _inputs(experiment) if _is_missing(file)]
        problems += _misfits(experiment)
    if problems or experiment is None:
        raise ConfigError(path, problems)
    return experiment


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML without keys that overwrite each other silently."""

    duplicates: list[str]

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                self.duplicates.append(f"line {key_node.start_mark.line + 1}: key {key!r} is there twice")
            seen.add(key)
        return super().construct_mapping(node, deep)


def _read_yaml(path: Path) -> tuple[dict[str, Any], list[str]]:
    """The file's values, and what is wrong with it as YAML."""
    try:
        loader = _UniqueKeyLoader(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(path, [f"cannot be read ({error})"]) from error
    loader.duplicates = []
    try:
        values = loader.get_single_data()
    except yaml.YAMLError as error:
        raise ConfigError(path, [f"is no YAML: {' '.join(str(error).split())}"]) from error
    finally:
        loader.dispose()
    if not isinstance(values, dict):
        raise ConfigError(path, ["holds no settings; needed `key: value` lines, at least name, genome and tracks"])
    return values, loader.duplicates


def _override(values: dict[str, Any], text: str) -> str:
    """Set one field in place; return what is wrong with `text`, or nothing."""
    field, equals, value = text.partition("=")
    if not equals or not all(field.split(".")):
        return f"--set {text}: no field=value (for example --set model.width=0.5)"
    *parents, last = field.strip().split(".")
    place = values
    for parent in parents:
        child = place.setdefault(parent, {})
        if not isinstance(child, dict):
            return f"--set {text}: {parent} is no group of settings"
        place = child
    try:
        place[last] = yaml.safe_load(value)
    except yaml.YAMLError:
        return f"--set {text}: the value is no YAML"
    return ""


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


def _explain(error: Mapping[str, Any], values: Any) -> str:
    """One of pydantic's errors as `field: what; remedy`."""
    field = _field_path(error["loc"], values)
    match error["type"]:
        case "extra_forbidden":
            known = _known_keys(error["loc"][:-1])
            near = get_close_matches(str(error["loc"][-1]), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(sorted(known))}"
            return f"{field}: unknown key; {hint}"
        case "missing":
            return f"{field}: missing"
        case "value_error":
            return f"{field}: {error['ctx']['error']}" if field else str(error["ctx"]["error"])
        case _:
            return f"{field}: {error['msg']}, found {error['input']!r}"


def _field_path(loc: Sequence[str | int], values: Any) -> str:
    """The dotted path that a user can find in the file: without the tags that pydantic puts in for unions."""
    parts = []
    for index, part in enumerate(loc):
        inside = (isinstance(values, dict) and part in values) or (isinstance(values, list) and isinstance(part, int))
        if inside:
            values = values[part]
        elif index < len(loc) - 1 or not isinstance(values, dict):
            continue
        parts.append(str(part))
    return ".".join(parts)


def _known_keys(loc: Sequence[str | int]) -> list[str]:
    """The keys that a group of settings may have, read from the JSON schema (which knows unions and their tags)."""
    schema = Experiment.model_json_schema()
    node = _dereference(schema, schema)
    for part in loc:
        tags = node.get("discriminator", {}).get("mapping", {})
        node = {"$ref": tags[part]} if part in tags else node.get("properties", {}).get(part, {})
        node = _dereference(node, schema)
    return list(node.get("properties", {}))


def _dereference(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    return node


def _resolve(settings: Settings, folder: Path) -> Settings:
    """The same settings with every path absolute: inputs from `folder`, outputs from the working directory."""
    changed: dict[str, Any] = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            changed[name] = _resolve(value, folder)
        elif isinstance(value, Path):
            start = Path.cwd() if name in _OUTPUTS else folder
            changed[name] = Path(os.path.normpath(start / value.expanduser()))
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


def _misfits(experiment: Experiment) -> list[str]:
    """What does not fit between model and dataset."""
    try:
        experiment.model_spec(n_tracks=1)
    except ConfigError as error:
        return [f"{error.where}: {problem}" for problem in error.problems]
    except ValidationError as error:
        return [f"model: {problem['msg']}" for problem in error.errors()]
    return []
