"""From an experiment to a run folder."""

from collections.abc import Callable
from pathlib import Path

from regact.experiment.experiment import Experiment
from regact.experiment.load import load_experiment
from regact.experiment.store import open_or_build_store
from regact.training.loop import EpochReport, train_model
from regact.training.transfer import check_transfer


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
    check_transfer(plan.transfer, plan.model_spec(n_tracks=1))  # a build may take hours
    store = open_or_build_store(plan, workers=workers, tell=tell)
    return train_model(
        store,
        store.open_genome(plan.genome),
        plan.model_spec(store.n_tracks),
        plan.training,
        out,
        transfer=plan.transfer,
        device=device,
        workers=workers or 0,
        overwrite=overwrite,
        resume=resume,
        settings=plan.settings(),
        card={"name": plan.name, "command": command},
        on_epoch=on_epoch,
    )
