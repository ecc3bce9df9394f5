"""The plan of an experiment: what each step will take, found out before anything starts."""

import math
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Literal

from regact.comparison.pretraining import check_towers, starting_from, tower_trial
from regact.comparison.trial import Trial, list_trials
from regact.engine import measured, progress, run_apart
from regact.experiment import Experiment, import_weights, load_experiment
from regact.planning.data_probe import DataReadings, DataTask, probe_data
from regact.planning.dataset_step import Outlook, look_at_dataset
from regact.planning.judging_step import baseline_step, judging_step, report_step
from regact.planning.machine import Machine, find_machine
from regact.planning.model_probe import ModelReadings, ModelTask, probe_model
from regact.planning.steps import Plan, Step
from regact.planning.training_step import Known, training_step
from regact.training import TrainingConfig, check_transfer, choose_device, choose_readers
from regact.training.card import LIMITS
from regact.training.compile import check_compiler
from regact.training.kept_bins import check_kept
from regact.training.seen_windows import describe_overlap

SECONDS = 45.0  # that measuring takes, roughly
_LEAST_SECONDS = 2.0  # for each thing that is measured
_DATASET_SHARE = 0.25
_EVALUATED = ("test",)  # what `regact evaluate` is asked for after training


class Command(StrEnum):
    """Commands that can be planned."""

    train = "train"
    compare = "compare"


@dataclass(frozen=True)
class _Model:
    """A model of the plan: what it is called, how often it is trained, and as what."""

    name: str
    trial: Trial
    times: int
    splits: tuple[str, ...]  # it is judged on


def plan_experiment(
    experiment: Experiment | str | Path,
    *,
    command: Command | Literal["train", "compare"] | None = None,
    out: str | Path = ".",
    device: str = "auto",
    workers: int | None = None,
    machine: Machine | None = None,
    seconds: float = SECONDS,
) -> Plan:
    """What `regact train` (and `evaluate`) or `regact compare` will take: memory, disk and time of every step.

    A few windows of the dataset are built, and a few steps of each model are taken, in processes of their own and in a
    temporary folder; the rest are straight lines. Nothing is left behind but the codes of the genome beside its FASTA.

    Args:
        experiment: As such, or its YAML file.
        command: What is planned; compare where its `compare` section names models.
        out: Where the runs will lie.
        device: Where models will be trained.
        workers: As they will be asked for.
        machine: What there is to do it with, where it is not this machine; times are those of this one.
        seconds: How long measuring may take, roughly; each model and the dataset take two at least.

    Raises: whatever `train_experiment` and `compare` would find wrong before they work; nothing where the machine is
        too small: `Plan.check` does.
    """
    asked = experiment if isinstance(experiment, Experiment) else load_experiment(experiment)
    chosen = Command(command or ("compare" if asked.compare.models else "train"))
    with measured() as total, tempfile.TemporaryDirectory(prefix="regact-plan-") as folder:
        here = find_machine(device)
        starts_from, asked = asked.transfer.run, _with_weights(asked, Path(folder))
        models = _list_models(asked, chosen, Path(out))
        for model in models:
            _check(model.trial.experiment, here)
        share = max(_LEAST_SECONDS, seconds * _DATASET_SHARE)
        data = look_at_dataset(asked, Path(folder), workers=workers, seconds=share)
        ridge = _splits_of_ridge(asked, chosen, data)
        task = DataTask(data.probed, asked.genome, asked.training.augmentation, ridge)
        reading = run_apart(probe_data, task, where=f"reading {data.probed}")
        tasks = {model.name: _task(model.trial.experiment, data, here) for model in models}
        found = _probe_all(tasks, seconds - share)
        start = next(iter(found.values())).start
        steps = [after_start(data.step, start, reading)]
        floor = [baseline_step(data, reading, ridge, Path(out))] if ridge else []
        if chosen is Command.compare:
            steps += floor
        readers = choose_readers(workers, choose_device(here.device))
        for model in models:
            known = Known(tasks[model.name], found[model.name], data, reading)
            steps.append(training_step(model.name, model.trial, known, times=model.times, workers=readers))
            if judged := [split for split in model.splits if data.windows(split)]:
                step = judging_step(model.name, model.trial, known, times=model.times, splits=judged)
                steps.append(after_start(step, start, reading) if chosen is Command.train else step)
        if chosen is Command.train:
            steps += floor
        else:
            n = sum(model.times for model in models)
            steps.append(report_step(data, len(models), trainings=n, splits=asked.compare.splits, out=Path(out)))
        remarks = tuple(_remarks(steps, models, asked, data, starts_from))
    return Plan(
        name=asked.name,
        command=chosen.value,
        steps=tuple(steps),
        machine=machine or here,
        measured_seconds=total.seconds,
        remarks=remarks,
    )


def _with_weights(experiment: Experiment, folder: Path) -> Experiment:
    """The same experiment; the run that it starts from imported into `folder`, where it would be imported."""
    run = experiment.transfer.run
    if experiment.weights is None or run is None or run.exists():
        return experiment
    imported = import_weights(experiment.weights, folder / "weights" / run.name)
    return experiment.model_copy(update={"transfer": experiment.transfer.model_copy(update={"run": imported})})


def _list_models(experiment: Experiment, command: Command, out: Path) -> list[_Model]:
    """Every model that is trained, once for all its seeds, the tower of a comparison first.

    Raises: as `train_experiment` or `compare` do before they work.
    """
    if command is Command.train:
        check_transfer(experiment.transfer, experiment.model_spec(n_tracks=1))
        return [_Model(experiment.model.preset, Trial(experiment.name, experiment, out), 1, _EVALUATED)]
    limited = experiment.under_budget()
    tower = tower_trial(limited, out)
    trials = list_trials(starting_from(tower, limited), out)
    check_towers(trials, tower)
    names = list(dict.fromkeys(trial.name for trial in trials))
    seeds = max(1, len(experiment.compare.seeds))
    first = {name: next(trial for trial in trials if trial.name == name) for name in names}
    models = [_Model(name, first[name], seeds, experiment.compare.splits) for name in names]
    return [
        *([_Model(f"{tower.experiment.model.preset}, whose tower all get", tower, 1, ())] if tower else []),
        *models,
    ]


def _splits_of_ridge(experiment: Experiment, command: Command, data: Outlook) -> tuple[str, ...]:
    """What the 4-mer ridge is judged on: in a comparison if it asks for it, in an evaluation always."""
    if command is Command.train:
        return tuple(split for split in _EVALUATED if data.windows(split))
    return experiment.compare.splits if experiment.compare.baseline else ()


def _probe_all(tasks: Mapping[str, ModelTask], seconds: float) -> dict[str, ModelReadings]:
    """The readings of every model; those that differ only in how long they train, or how long frozen, share theirs."""
    groups: dict[object, list[str]] = {}
    for name, task in tasks.items():
        groups.setdefault((task.model, _what_a_step_is(task.training)), []).append(name)
    each = max(_LEAST_SECONDS, seconds / len(groups))
    found: dict[str, ModelReadings] = {}
    with progress("Trying models", len(groups)) as bar:
        for names in groups.values():
            longest = max((tasks[name] for name in names), key=lambda task: task.transfer.freeze_epochs)
            task = replace(longest, seconds=each, sent=time.time())
            found |= dict.fromkeys(names, run_apart(probe_model, task, where=f"trying {names[0]}"))
            bar.advance()
    return found


def _what_a_step_is(training: TrainingConfig) -> TrainingConfig:
    """Training settings without those that say how long a run is, and its seed."""
    default = TrainingConfig()
    return training.model_copy(update={name: getattr(default, name) for name in (*LIMITS, "seed")})


def _task(experiment: Experiment, data: Outlook, machine: Machine) -> ModelTask:
    dataset = data.store.header.config
    return ModelTask(
        model=experiment.model,
        tracks=data.store.n_tracks,
        window_bp=dataset.window_bp,
        bin_bp=dataset.bin_bp,
        crop_bins=dataset.crop_bins,
        training=experiment.training,
        transfer=experiment.transfer,
        device=machine.device,
        seconds=_LEAST_SECONDS,
        ram_bytes=machine.ram_bytes,
        gpu_bytes=machine.gpu_bytes,
    )


def _check(experiment: Experiment, machine: Machine) -> None:
    """Raise what training would before its first step."""
    check_kept(experiment.transfer, experiment.training)
    if experiment.training.compile:
        check_compiler(choose_device(machine.device))


def after_start(step: Step, start: tuple[float, float], reading: DataReadings) -> Step:
    """The step, begun by a program that has to start and to open the dataset."""
    wall, cpu = (sum(times) for times in zip(start, reading.opening, strict=True))
    return replace(step, seconds=step.seconds + wall, cpu_seconds=step.cpu_seconds + cpu)


def _remarks(
    steps: Sequence[Step], models: Sequence[_Model], experiment: Experiment, data: Outlook, starts_from: Path | None
) -> Iterator[str]:
    yield "times are those of this machine as busy as it is now"
    if any(step.at_most for step in steps):
        patience = sorted({m.trial.experiment.training.patience for m in models} - {None}, key=lambda p: p or math.inf)
        yield (
            f"times with <= are for all epochs; training.patience {', '.join(map(str, patience))} may end a run sooner"
        )
    run = experiment.transfer.run
    if run is not None and (warning := describe_overlap(run, data.store)[1]):
        # Weights that were imported for the plan alone are called as they will be.
        yield f"warning: {warning.replace(str(run), str(starts_from))}"
