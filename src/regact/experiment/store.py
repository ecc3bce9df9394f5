"""The dataset that an experiment asks for, built where it is not there yet."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel

from regact.dataset import Store, open_store
from regact.dataset.basenji import StorageSettings, import_dataset
from regact.dataset.build import build_dataset
from regact.errors import StoreError
from regact.experiment.experiment import Experiment
from regact.tracks import TrackSheet, read_track_sheet


def open_or_build_store(
    experiment: Experiment, *, workers: int | None = None, tell: Callable[[str], object] = lambda remark: None
) -> Store:
    """The experiment's dataset: built where it is not there yet, else checked to be the one asked for.

    `tell` is called with what is being done and each remark of the build.

    Raises: StoreError where the store that is there was built with other settings or tracks; as `build_dataset`.
    """
    path = experiment.store_path
    if not path.exists():
        tell(f"{path} is not there; {'building' if experiment.source is None else 'importing'} it")
        return make_store(experiment, path, workers=workers, tell=tell)
    store = open_store(path)
    differences = _setting_differences(store.header.config, experiment.dataset)
    if experiment.tracks is not None:
        differences += _track_differences(store.sheet, read_track_sheet(experiment.tracks))
    if differences:
        raise StoreError(
            path, "; ".join(differences), "the store of this experiment", "name another with --store, or remove it"
        )
    return store


def make_store(
    experiment: Experiment,
    out: Path,
    *,
    workers: int | None = None,
    overwrite: bool = False,
    resume: bool = True,
    tell: Callable[[str], object] = lambda remark: None,
) -> Store:
    """Build or import the experiment's dataset at `out`; arguments and errors as of `build_dataset`."""
    if experiment.source is not None:
        return import_dataset(
            experiment.source,
            out,
            genome_path=experiment.genome,
            contig_alias=experiment.contig_alias,
            storage=StorageSettings.of(experiment.dataset),
            expected=experiment.dataset,
            workers=workers,
            overwrite=overwrite,
            resume=resume,
            tell=tell,
        )
    genome, tracks = experiment.inputs
    return build_dataset(
        genome,
        tracks,
        experiment.dataset,
        out,
        workers=workers,
        contig_alias=experiment.contig_alias,
        overwrite=overwrite,
        resume=resume,
        tell=tell,
    )


def _setting_differences(found: BaseModel, needed: BaseModel, prefix: str = "dataset.") -> list[str]:
    """Settings of a store that are not the experiment's; of a file, only whether there is one, for files may move.

    How values are compressed changes none of them.
    """
    differences = []
    for name in [name for name in type(needed).model_fields if name not in ("codec", "compression_level")]:
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
