"""From an experiment to a run folder."""

import os
from collections.abc import Callable
from pathlib import Path

from regact.errors import StoreError
from regact.experiment.experiment import Experiment
from regact.experiment.load import load_experiment
from regact.experiment.store import open_or_build_store
from regact.training.launch import find_launch
from regact.training.loop import EpochReport, train_model
from regact.training.seen_windows import describe_overlap
from regact.training.transfer import check_transfer


def train_experiment(
    experiment: Experiment | str | Path,
    out: str | Path,
    *,
    device: str = "auto",
    devices: int | None = None,
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
        devices: As in `train_model`; processes that torchrun or SLURM started do not build the dataset.
        workers: Processes of a build (as many as there are cores where None) and of loading (none where None).
        command: What the run's card shall say it was made by.
        tell: Called with each remark on the dataset, and with a warning where the run to start from was trained on
            windows that this one is judged on; the card holds how many, as `overlap`.
        on_epoch: Called with each row of log.csv as soon as it is known.

    Raises: as `load_experiment`, `open_or_build_store` and `train_model`.
    """
    plan = experiment if isinstance(experiment, Experiment) else load_experiment(experiment)
    check_transfer(plan.transfer, plan.model_spec(n_tracks=1))  # a build may take hours
    _check_built(plan.store_path, devices)
    store = open_or_build_store(plan, workers=workers, tell=tell)
    overlap, warning = describe_overlap(plan.transfer.run, store) if plan.transfer.run else (None, "")
    if warning:
        tell(f"warning: {warning}")
    return train_model(
        store,
        store.open_genome(plan.genome),
        plan.model_spec(store.n_tracks),
        plan.training,
        out,
        transfer=plan.transfer,
        device=device,
        devices=devices,
        workers=workers or 0,
        overwrite=overwrite,
        resume=resume,
        settings=plan.settings(),
        card={"name": plan.name, "command": command, "overlap": overlap},
        on_epoch=on_epoch,
    )


def _check_built(store: Path, devices: int | None) -> None:
    """Raise StoreError where processes that were started together would all build the dataset."""
    launch = find_launch(os.environ, devices)
    if launch.by != "regact" and launch.processes > 1 and not store.exists():
        raise StoreError(
            store,
            f"not there, and {launch.processes} processes of {launch.by} would all build it",
            "a store that is built",
            "build it first, with `regact dataset build`",
        )
