"""A search from beginning to end: trials one after the other, by as many workers as are started on the same folder."""

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from regact.engine import refuse_existing, take_turns, whole_file
from regact.errors import OutputExistsError, ProgramError, RunError, TrainingError
from regact.experiment import Experiment, load_experiment
from regact.training import choose_device
from regact.tuning.results import BEST, best_trial, describe_values, write_results
from regact.tuning.space import SearchSpace, label, search_space
from regact.tuning.study import JOURNAL, TURN, Claim, Study, TrialRecord, require_optuna, workers_alive
from regact.tuning.trial import Outcome, TrialEpochReport, run_trial

SETTINGS = "study.yaml"
_FREE = {"tune.trials", "training.save_minutes"}  # what may differ from worker to worker
_HOPELESS = 5  # so many failed trials and not one that trained: not the draws are wrong but something common to all


def tune(
    experiment: Experiment | str | Path,
    out: str | Path,
    *,
    device: str = "auto",
    workers: int | None = None,
    overwrite: bool = False,
    resume: bool = True,
    command: str = "",
    tell: Callable[[str], object] = lambda remark: None,
    on_epoch: TrialEpochReport | None = None,
) -> Path:
    """Search the settings that an experiment's `tune` section names for the best validation score; return `out`.

    The folder gets `trials.tsv`, `best.yaml` (which `train` takes as it is), `importance.png`, `parallel.png` and a run
    folder for each trial; all but the last are written anew as each trial ends. The same call on the same folder from
    several processes, on one machine or several that share the folder, makes them workers of one study. Repeated after
    a stop or a kill, it goes on: what was cut off is trained from its last saved state.

    Args:
        experiment: As such, or its YAML file.
        workers: As in `train_experiment`.
        overwrite: Begin a new study in the place of the one that is there.
        resume: Join or go on with the study in `out`; without it, and without `overwrite`, `out` must be new.
        command: What the runs' cards shall say they were made by.
        tell: Called with what begins, how it ended, and at last the result in a line.
        on_epoch: Called with a trial's number and each row of its log.csv as soon as it is known.

    Raises: ProgramError where optuna is not installed, or a worker is at the study to overwrite; ConfigError with
        everything that is wrong with the search space; RunError where the study in `out` is another; TrainingError
        where the first trials all failed; OutputExistsError, DeviceError and those of `open_or_build_store`.
    """
    plan = experiment if isinstance(experiment, Experiment) else load_experiment(experiment)
    out = Path(out)
    require_optuna()
    space = search_space(plan)
    choose_device(device)
    _claim(out, plan, overwrite=overwrite, resume=resume)
    study = Study(out, plan.tune, space.dimensions)
    study.begin_with(_own_values(plan, space))
    started = time.monotonic()
    while True:
        with study.claim() as claim:
            if claim is None:
                break
            tell(_beginning(claim, space, plan.tune.trials))
            outcome = run_trial(
                plan,
                space,
                claim,
                out,
                device=device,
                workers=workers,
                command=command,
                tell=tell,
                on_epoch=on_epoch,
            )
            study.finish(claim, outcome.state, score=outcome.score, **outcome.notes)
        with study.turn():
            write_results(study, plan, space)
        tell(_ending(claim, outcome, plan))
        _check_hope(study.records(), out)
    with study.turn():  # one that ended while this worker was writing may be missing
        write_results(study, plan, space)
    tell(_summary(study.records(), space, plan, time.monotonic() - started))
    return out


def _claim(out: Path, plan: Experiment, *, overwrite: bool, resume: bool) -> None:
    """Make sure that `out` is new, or this study to go on with, or one to begin anew."""
    in_use = out.exists() and (not out.is_dir() or any(not path.name.startswith(".") for path in out.iterdir()))
    is_study = (out / SETTINGS).is_file()  # looked for last: another worker may be beginning the study
    if in_use and not is_study:
        raise OutputExistsError(out, "already there", "a study's folder or a new name", "choose another --out")
    if is_study and not overwrite and not resume:
        refuse_existing(out, overwrite)
    out.mkdir(parents=True, exist_ok=True)
    with take_turns(out / TURN):
        if overwrite and is_study:
            _clear(out)
        if not (out / SETTINGS).is_file():
            with whole_file(out / SETTINGS) as path:
                path.write_text(yaml.safe_dump(_settings(plan), sort_keys=False, allow_unicode=True), encoding="utf-8")
        differences = _differences(yaml.safe_load((out / SETTINGS).read_text(encoding="utf-8")), _settings(plan))
    if differences:
        raise RunError(
            out,
            f"a study of other settings ({'; '.join(differences)})",
            "the same experiment and search space to go on",
            "restore them, choose another --out, or begin anew with --overwrite",
        )


def _settings(plan: Experiment) -> dict[str, Any]:
    return plan.settings() | {"tune": plan.tune.model_dump(mode="json")}


def _differences(before: Any, now: Any, prefix: str = "") -> list[str]:
    """Settings that are not the same, by their paths, but for those that may differ."""
    if not isinstance(before, dict) or not isinstance(now, dict):
        return [] if before == now else [f"{prefix}: {label(before)}, now {label(now)}"]
    paths = {name: f"{prefix}.{name}".lstrip(".") for name in before | now}
    return [
        difference
        for name, path in paths.items()
        if path not in _FREE
        for difference in _differences(before.get(name), now.get(name), path)
    ]


def _clear(out: Path) -> None:
    if alive := workers_alive(out):
        raise ProgramError(out, f"workers are at trials {', '.join(alive)}", "", "stop them before --overwrite")
    # The settings first, so that what a kill leaves is no study; the journal next, so that it is no half study either.
    for entry in [out / SETTINGS, out / JOURNAL, *out.iterdir()]:
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name != TURN:  # held by this process
            entry.unlink(missing_ok=True)


def _own_values(plan: Experiment, space: SearchSpace) -> dict[str, Any]:
    """The experiment's own settings as a draw, where the space holds them: the best is then no worse than they are."""
    own: dict[str, Any] = {}
    for path, domain in space.domains.items():
        value: Any = plan
        for part in path.split("."):
            value = getattr(value, part)
        dimensions = [dimension for dimension in space.dimensions if dimension.name == path]
        if domain.choose is not None and label(value) in map(label, domain.choose):
            own[path] = label(value)
        elif domain.choose is None and dimensions and _lies_in(value, domain.low, domain.high):
            own[path] = value
    return own


def _lies_in(value: Any, low: float | None, high: float | None) -> bool:
    return isinstance(value, int | float) and low is not None and high is not None and low <= value <= high


def _beginning(claim: Claim, space: SearchSpace, trials: int) -> str:
    again = " (goes on where it was cut off)" if claim.attempts > 1 else ""
    return f"trial {claim.number} of {trials}{again}: {describe_values(space.values(claim.drawn))}"


def _ending(claim: Claim, outcome: Outcome, plan: Experiment) -> str:
    if outcome.state == "failed":
        return f"trial {claim.number} failed: {outcome.notes['failure']}"
    judged_by, epochs = plan.training.judged_by, outcome.notes["epochs"]
    return f"trial {claim.number} {outcome.state} after {epochs} epochs: valid {judged_by} {outcome.score:.4f}"


def _check_hope(records: Sequence[TrialRecord], out: Path) -> None:
    ended = [record for record in records if record.state != "running"]
    if len(ended) >= _HOPELESS and all(record.state == "failed" for record in ended):
        raise TrainingError(
            out,
            f"all {len(ended)} trials failed, the last one with: {ended[-1].notes.get('failure')}",
            "one that trains",
            "see whether the experiment itself does: `regact train`",
        )


def _summary(records: Sequence[TrialRecord], space: SearchSpace, plan: Experiment, seconds: float) -> str:
    counts = {state: sum(record.state == state for record in records) for state in ("finished", "pruned", "failed")}
    text = f"{len(records)} trials: " + ", ".join(f"{count} {state}" for state, count in counts.items())
    if running := len(records) - sum(counts.values()):
        text += f", {running} still in the hands of other workers"
    text += f"; {seconds / 60:.1f} min of this worker"
    if best := best_trial(records):
        text += f"; best: trial {best.number}, valid {plan.training.judged_by} {best.score:.4f} with "
        text += f"{describe_values(space.values(best.drawn))} ({BEST})"
    return text
