"""From an experiment to a run folder."""

import os
from collections.abc import Callable
from pathlib import Path

from regact.errors import RunError, StoreError
from regact.experiment.experiment import Experiment
from regact.experiment.load import load_experiment
from regact.experiment.store import open_or_build_store
from regact.experiment.weights import import_missing_weights
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

    The dataset is built, and weights to start from are imported, where they are not there yet.

    Args:
        devices: As in `train_model`; processes that torchrun or SLURM started do not build the dataset.
        workers: Processes of a build (as many as there are cores where None) and of reading ahead (`choose_readers`).
        command: What the run's card shall say it was made by.
        tell: Called with each remark on the dataset, and with a warning where the run to start from was trained on
            windows that this one is judged on; the card holds how many, as `overlap`.
        on_epoch: Called with each row of log.csv as soon as it is known.

    Raises: as `load_experiment`, `open_or_build_store`, `import_missing_weights` and `train_model`.
    """
    plan = experiment if isinstance(experiment, Experiment) else load_experiment(experiment)
    _check_made(plan, devices)
    import_missing_weights(plan, tell=tell)
    check_transfer(plan.transfer, plan.model_spec(n_tracks=1))  # a build may take hours
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
        workers=workers,
        overwrite=overwrite,
        resume=resume,
        settings=plan.settings(),
        card={"name": plan.name, "command": command, "overlap": overlap},
        on_epoch=on_epoch,
    )


def _check_made(plan: Experiment, devices: int | None) -> None:
    """Raise StoreError or RunError where processes that were started together would all make the same thing."""
    launch = find_launch(os.environ, devices)
    if launch.by == "regact" or launch.processes < 2:
        return
    found = f"not there, and {launch.processes} processes of {launch.by} would all"
    if not plan.store_path.exists():
        raise StoreError(
            plan.store_path, f"{found} build it", "a store that is built", "build it first, with `regact dataset build`"
        )
    if plan.weights and plan.transfer.run and not plan.transfer.run.exists():
        remedy = "import it first, with `regact weights`"
        raise RunError(plan.transfer.run, f"{found} import it", "a run that is imported", remedy)
