"""A comparison from beginning to end: trials, a table that grows with each, a page at the end."""

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from regact.comparison.markdown import RESULTS_TEXT, write_results_text
from regact.comparison.pretraining import PRETRAINED, check_towers, starting_from, tower_trial
from regact.comparison.results import RESULTS, Result, baseline_result, describe_trial, write_results
from regact.comparison.side_by_side import (
    TrialEpochReport,
    TrialTask,
    do_side_by_side,
    possible_jobs,
    report_of,
    train_and_judge,
)
from regact.comparison.summary import DIFFERENCES, SUMMARY, summarize, write_summary
from regact.comparison.trial import RUNS, Trial, check_trials, list_trials
from regact.dataset import Store
from regact.engine import refuse_existing
from regact.errors import ConfigError, OutputExistsError
from regact.evaluation import judge_baseline
from regact.experiment import (
    Experiment,
    import_missing_weights,
    load_experiment,
    open_or_build_store,
    train_experiment,
)
from regact.report import write_report
from regact.training.seen_windows import describe_overlap

REPORT = "report.html"
_OURS = {RUNS, PRETRAINED, RESULTS, RESULTS_TEXT, SUMMARY, DIFFERENCES, REPORT}
_OF_THE_FLOOR = re.compile(r"baseline_\w+\.(json|npz)")


def compare(
    experiment: Experiment | str | Path,
    out: str | Path,
    *,
    device: str = "auto",
    workers: int | None = None,
    jobs: int = 1,
    overwrite: bool = False,
    resume: bool = True,
    command: str = "",
    tell: Callable[[str], object] = lambda remark: None,
    on_epoch: TrialEpochReport | None = None,
) -> Path:
    """Train the models of an experiment's `compare` section on its dataset under one budget; return the folder `out`.

    The folder gets a run folder for each model (`runs/NAME`, or `runs/NAME_seedN` where the section lists seeds), one
    for the tower that they start from, where the section asks for one (`pretrained`), and `results.tsv`, which is
    written anew as each of them finishes. At the end come `summary.tsv` (a row for each model and split, over seeds,
    with intervals), `differences.tsv` (one for each two models), `results.md`, which has both as text, and
    `report.html`. Repeated, the same call goes on where it was stopped: a finished model is not trained again, one that
    was cut goes on from its last saved state.

    Args:
        experiment: As such, or its YAML file.
        workers: As in `train_experiment`.
        jobs: Models trained and judged at a time, on a CPU: each in a process with its share of the threads, and
            without `workers`; `on_epoch` has to be a function that can be pickled then. On a GPU they take turns.
        overwrite: Train every model anew.
        resume: Go on with what is in `out`; without it, and without `overwrite`, `out` must be new.
        command: What the runs' cards shall say they were made by.
        tell: Called with what begins and what came out.
        on_epoch: Called with a model's name and each row of its log.csv as soon as it is known.

    Raises: ConfigError where the experiment names no models to compare, or a split without windows; OutputExistsError
        where `out` is something else; RunError where a run in it was made with other settings; as `train_experiment`,
        `evaluate`.
    """
    if (possible := possible_jobs(jobs, device, on_epoch)) < jobs:
        tell("models take turns on a GPU: --jobs is for CPUs")
    plan = (experiment if isinstance(experiment, Experiment) else load_experiment(experiment)).under_budget()
    out = Path(out)
    import_missing_weights(plan, tell=tell)
    train = partial(train_experiment, device=device, workers=workers, resume=True, command=command)
    tower = tower_trial(plan, out)
    trials = list_trials(starting_from(tower, plan), out)
    check_towers(trials, tower)
    _claim(out, trials, overwrite=overwrite, resume=resume)
    store = open_or_build_store(plan, workers=workers, tell=tell)
    _check_splits(plan, store)
    genome = store.open_genome(plan.genome)
    if plan.transfer.run is not None and (warning := describe_overlap(plan.transfer.run, store)[1]):
        tell(f"warning: {warning}")
    if tower is not None:
        tell(f"the tower that all models start from: {tower.experiment.model.preset}")
        check_trials([tower], store, device)
        train(tower.experiment, tower.run, on_epoch=report_of(tower.name, on_epoch))
    check_trials(trials, store, device)
    floor: list[Result] = []
    if plan.compare.baseline:
        tell("the floor: ridge regression on 4-mers")
        floor += map(baseline_result, judge_baseline(store, genome, splits=plan.compare.splits, folder=out))
    tasks = [TrialTask(trial, store.path, plan.genome, device, workers, command, on_epoch=on_epoch) for trial in trials]
    found: dict[int, list[Result]] = {}
    for index, done in _do_all(tasks, possible, tell):
        for result in done:
            tell(describe_trial(trials[index].label, result.row))
        found[index] = done
        results = floor + [result for number in sorted(found) for result in found[number]]
        write_results(out / RESULTS, results)
    summary = summarize(results)
    write_summary(out, summary)
    write_results_text(out / RESULTS_TEXT, plan.name, summary)
    for split, reason in {model.split: model.no_interval for model in summary.models if model.no_interval}.items():
        tell(f"no intervals on split {split}: {reason}")
    write_report(
        out,
        out / REPORT,
        split=plan.compare.splits[-1],
        store=store.path,
        genome=plan.genome,
        device=device,
        workers=workers,
        command=command,
    )
    return out


def _claim(out: Path, trials: Sequence[Trial], *, overwrite: bool, resume: bool) -> None:
    """Make sure that `out` is new, or a comparison to go on with, or one to begin anew."""
    inside = [path for path in out.iterdir() if not path.name.startswith(".")] if out.is_dir() else []
    is_marked = any(path.name in (RESULTS, PRETRAINED) or _OF_THE_FLOOR.fullmatch(path.name) for path in inside)
    strange = [path for path in inside if path.name not in _OURS and not _OF_THE_FLOOR.fullmatch(path.name)]
    if overwrite and not is_marked and (out / RUNS).is_dir():  # what `regact train` has put there must not go
        strange += set((out / RUNS).iterdir()) - {trial.run for trial in trials}
    if (out.exists() and not out.is_dir()) or (strange and (overwrite or not is_marked)):
        names = sorted(str(path.relative_to(out)) for path in strange)
        found = "already there" + (f", with {', '.join(names[:3])} in it" if names else "")
        raise OutputExistsError(out, found, "a comparison's folder or a new name", "choose another --out")
    if inside and not overwrite and not resume:
        refuse_existing(out, overwrite)
    for path in inside if overwrite else []:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    (out / RUNS).mkdir(parents=True, exist_ok=True)


def _check_splits(plan: Experiment, store: Store) -> None:
    """Raise ConfigError, before anything is trained, unless there are windows in every split to judge on."""
    there = set(store.windows["split"])
    if empty := [split for split in plan.compare.splits if split not in there]:
        found = ", ".join(sorted(there))
        problem = f"no windows of {' and '.join(empty)} in {store.path} (it has {found}); leave them out, or split anew"
        raise ConfigError(f"experiment {plan.name}: compare.splits", [problem])


def _do_all(tasks: Sequence[TrialTask], jobs: int, tell: Callable[[str], object]) -> Iterator[tuple[int, list[Result]]]:
    """Train and judge every trial; pairs of its number and what came out, as they are finished."""
    if (jobs := min(jobs, len(tasks))) > 1:
        tell(f"{len(tasks)} models, {jobs} at a time")
        yield from do_side_by_side(tasks, jobs)
        return
    for index, task in enumerate(tasks):
        tell(f"model {index + 1} of {len(tasks)}: {task.trial.label}")
        yield index, train_and_judge(task)
