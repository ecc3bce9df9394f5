"""Trials of a comparison, one after the other, or several at once on the cores of one machine."""

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from regact.comparison.results import Result, trial_result
from regact.comparison.trial import Trial
from regact.dataset import open_store
from regact.engine import available_cores, run_tasks, without_progress
from regact.errors import ConfigError
from regact.evaluation import judge
from regact.experiment import train_experiment
from regact.training import choose_device

TrialEpochReport = Callable[[str, Mapping[str, float]], None]


@dataclass(frozen=True)
class TrialTask:
    """A trial that is to be trained and judged, and how.

    Attributes:
        trial: What is trained, and where its run folder is.
        store: The dataset, which is there.
        genome: Its genome, if it is elsewhere.
        device: As in `train_experiment`.
        workers: As in `train_experiment`.
        command: What the run's card shall say it was made by.
        on_epoch: Called with the trial's label and each row of its log.csv.
        threads: Of torch, where the trial has a process of its own; else as many as torch takes.
    """

    trial: Trial
    store: Path
    genome: Path | None
    device: str
    workers: int | None
    command: str
    on_epoch: TrialEpochReport | None
    threads: int | None = None


def train_and_judge(task: TrialTask) -> list[Result]:
    """Train a trial, or go on with it, or find it finished; then judge it on every split of the comparison."""
    trial = task.trial
    train_experiment(
        trial.experiment,
        trial.run,
        device=task.device,
        workers=task.workers,
        resume=True,
        command=task.command,
        on_epoch=report_of(trial.label, task.on_epoch),
    )
    store = open_store(task.store)
    genome = store.open_genome(task.genome)
    judgements = (
        judge(trial.run, split=split, store=store, genome=genome, device=task.device, workers=task.workers)
        for split in trial.experiment.compare.splits
    )
    return [trial_result(trial.name, trial.run, trial.spec(store), judgement) for judgement in judgements]


def do_side_by_side(tasks: Sequence[TrialTask], jobs: int) -> Iterator[tuple[int, list[Result]]]:
    """Train and judge `jobs` trials at a time, each in a process with its share of the threads.

    For small models, whose tensors gain little from a second thread. Yields (index into `tasks`, results) in the order
    in which they are finished. The first failure stops the others; what they have saved stays.

    Raises: as `train_experiment` and `judge`.
    """
    threads = max(1, min(torch.get_num_threads(), available_cores() // jobs))
    apart = [replace(task, threads=threads, workers=0) for task in tasks]
    label = f"Comparing, {jobs} at a time"
    return run_tasks(_apart, apart, workers=jobs, label=label, describe=lambda task: task.trial.label)


def possible_jobs(jobs: int, device: str, on_epoch: TrialEpochReport | None) -> int:
    """How many of so many trials can be trained at a time: they share the cores of a CPU, on a GPU they take turns.

    Raises: ConfigError for none at all, or where several processes cannot tell of their epochs.
    """
    if jobs < 1:
        raise ConfigError("jobs", [f"{jobs}; needed 1 or more"])
    if jobs > 1 and choose_device(device).type != "cpu":
        return 1
    if jobs > 1:
        _check_sendable(on_epoch)
    return jobs


def report_of(label: str, on_epoch: TrialEpochReport | None) -> Callable[[Mapping[str, float]], None] | None:
    """What a training calls with each row of its log, where the whole comparison is told with the trial's label."""
    if on_epoch is None:
        return None
    report = on_epoch
    return lambda row: report(label, row)


def _check_sendable(on_epoch: TrialEpochReport | None) -> None:
    try:
        pickle.dumps(on_epoch)
    except (AttributeError, TypeError, pickle.PicklingError) as error:
        problem = f"on_epoch cannot be sent to other processes ({error}); needed a function of a module, or jobs=1"
        raise ConfigError("jobs", [problem]) from error


def _apart(task: TrialTask) -> list[Result]:
    """`train_and_judge` in a process of its own, beside others that write to the same terminal."""
    if task.threads is not None:
        torch.set_num_threads(task.threads)
    with without_progress():
        return train_and_judge(task)
