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
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from regact.dataset import DatasetConfig, Store, open_store
from regact.dataset.build import build_dataset
from regact.errors import ConfigError, StoreError
from regact.model import ModelConfig, ModelSpec, model_spec
from regact.settings import check_settings, override, read_yaml
from regact.tracks import TrackSheet, read_track_sheet
from regact.train.config import TrainingConfig
from regact.train.loop import EpochReport, train_model

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
        """All settings, defaults included and paths absolute, as plain values for a YAML file.

        Of the model only what was set: other fields have no meaning for its preset. The weights hold its spec in full.
        """
        model = {"preset": self.model.preset} | self.model.model_dump(mode="json", exclude_unset=True)
        return self.model_dump(mode="json") | {"model": model}


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
    values, problems = read_yaml(path)
    problems += [problem for text in overrides if (problem := override(values, text))]
    _fill_in_data(values, os.environ.get(DATA_VARIABLE) if data is None else str(Path(data).absolute()), "", problems)
    experiment, more = check_settings(Experiment, values)
    problems += more
    if experiment is not None:
        experiment = _resolve(experiment, path.parent.absolute())
        problems += [f"{field}: {file} does not exist" for field, file in _inputs(experiment) if _is_missing(file)]
        problems += _misfits(experiment)
    if problems or experiment is None:
        raise ConfigError(path, problems)
    return experiment


def train_experiment(
    experiment: Experiment | str | Path,
    out: str | Path,
    *,
    device: str = "auto",
    workers: int | None = None,
    overwrite: bool = False,
    resume: bool = False,
    command: str = "",
    tell: Callable[[str], object] = lambda remark: None,
    on_epoch: EpochReport | None = None,
) -> Path:
    """Train the model of an experiment, given as such or as its YAML file; return the run folder `out`.

    The dataset is built first where it is not there yet.

    Args:
        workers: Processes of a build (as many as there are cores where None) and of loading (none where None).
        command: What the run's card shall say it was made by.
        tell: Called with each remark on the dataset.
        on_epoch: Called with each row of log.csv as soon as it is known.

    Raises: as `load_experiment`, `open_or_build_store` and `train_model`.
    """
    plan = experiment if isinstance(experiment, Experiment) else load_experiment(experiment)
    store = open_or_build_store(plan, workers=workers, tell=tell)
    return train_model(
        store,
        store.open_genome(plan.genome),
        plan.model_spec(store.n_tracks),
        plan.training,
        out,
        device=device,
        workers=workers or 0,
        overwrite=overwrite,
        resume=resume,
        settings=plan.settings(),
        card={"name": plan.name, "command": command},
        on_epoch=on_epoch,
    )


def open_or_build_store(
    experiment: Experiment, *, workers: int | None = None, tell: Callable[[str], object] = lambda remark: None
) -> Store:
    """The experiment's dataset: built where it is not there yet, else checked to be the one asked for.

    `tell` is called with what is being done and each remark of the build.

    Raises: StoreError where the store that is there was built with other settings or tracks; as `build_dataset`.
    """
    path = experiment.store_path
    if not path.exists():
        tell(f"{path} is not there; building it")
        return build_dataset(
            experiment.genome,
            experiment.tracks,
            experiment.dataset,
            path,
            workers=workers,
            contig_alias=experiment.contig_alias,
            tell=tell,
        )
    store = open_store(path)
    differences = _setting_differences(store.header.config, experiment.dataset)
    differences += _track_differences(store.sheet, read_track_sheet(experiment.tracks))
    if differences:
        raise StoreError(
            path, "; ".join(differences), "the store of this experiment", "name another with --store, or remove it"
        )
    return store


def _setting_differences(found: BaseModel, needed: BaseModel, prefix: str = "dataset.") -> list[str]:
    """Settings of a store that are not the experiment's; of a file, only whether there is one, for files may move."""
    differences = []
    for name in type(needed).model_fields:
        have, want = getattr(found, name, None), getattr(needed, name)
        if isinstance(have, BaseModel) and type(have) is type(want):
            differences += _setting_differences(have, want, f"{prefix}{name}.")
        elif have != want and not (isinstance(have, Path) and isinstance(want, Path)):
            differences.append(f"{prefix}{name} is {have}, needed {want}")
    return differences


def _track_differences(found: TrackSheet, needed: TrackSheet) -> list[str]:
    """Tracks that only one of the two has, or whose values were made otherwise."""
    have, want = ({track.identifier: track for track in sheet.tracks} for sheet in (found, needed))
    missing, extra = [name for name in want if name not in have], [name for name in have if name not in want]
    changed = [name for name in want if name in have and replace(want[name], files=()) != replace(have[name], files=())]
    kinds = {"has no track": missing, "has the further track": extra, "has other values of track": changed}
    return [f"{text} {_some(names)}" for text, names in kinds.items() if names]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


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
