"""A study on disk: its trials and their scores in optuna's journal, shared by all workers. Only this file names optuna.

    OUT/journal.log   what optuna knows; appended to, never rewritten
    OUT/.turn         held for the moments in which a worker takes a trial or writes the journal
    OUT/trials/NNNN/  the run folder of a trial; its lock is held for as long as a worker is at it

Locks are the kernel's (flock), so a killed worker holds none: a trial that says "running" and whose lock is free is one
that was cut off, and the next worker goes on with it.
"""

import math
import os
import socket
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from regact.engine import sole_writer, take_turns
from regact.errors import ProgramError
from regact.experiment import TuningConfig
from regact.tuning.space import Dimension

if TYPE_CHECKING:
    import optuna

JOURNAL, TURN, TRIALS = "journal.log", ".turn", "trials"
MAX_ATTEMPTS = 3  # a trial that takes its worker down with it must not take down all
_STATES = {"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed", "RUNNING": "running"}


@dataclass(frozen=True)
class TrialRecord:
    """What a study knows of a trial; `score` is NaN where there is none."""

    number: int
    state: str  # running, finished, pruned or failed
    drawn: Mapping[str, Any]  # name of a dimension -> value
    score: float
    notes: Mapping[str, Any]  # epochs, best_epoch, seconds, failure, attempts, worker: those that are known


@dataclass(frozen=True)
class Claim:
    """A trial in the hands of this worker."""

    number: int
    attempts: int
    drawn: Mapping[str, Any]
    run: Path
    reported: frozenset[int]  # epochs whose score an earlier worker noted
    trial: "optuna.Trial"

    def judge(self, epoch: int, score: float) -> bool:
        """Note the score after an epoch; return whether the trial had better end, for others did better by then."""
        if math.isnan(score):  # no track varied; nothing to compare
            return False
        if epoch not in self.reported:
            self.trial.report(score, step=epoch)
        return self.trial.should_prune()


class Study:
    """The trials of one study; every worker has its own object on the same folder."""

    def __init__(self, folder: Path, config: TuningConfig, dimensions: tuple[Dimension, ...]) -> None:
        self.folder, self.config, self.dimensions = folder, config, dimensions
        self._optuna = require_optuna()
        self._optuna.logging.set_verbosity(self._optuna.logging.WARNING)
        with self.turn(), _without_advice():
            backend = self._optuna.storages.journal.JournalFileBackend(
                str(folder / JOURNAL), lock_obj=_JournalLock(folder / JOURNAL)
            )
            self._study = self._optuna.create_study(
                study_name="regact",
                storage=self._optuna.storages.JournalStorage(backend),
                pruner=_pruner(self._optuna, config),
                direction="maximize",
                load_if_exists=True,
            )

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Nobody else takes a trial or writes a table meanwhile."""
        with take_turns(self.folder / TURN):
            yield

    def begin_with(self, drawn: Mapping[str, Any]) -> None:
        """Let the first trial of a new study have these values; what they do not name is drawn."""
        with self.turn():
            if drawn and not self._study.get_trials(deepcopy=False):
                self._study.enqueue_trial(dict(drawn))

    @contextmanager
    def claim(self) -> Iterator[Claim | None]:
        """The next trial to work at, in this worker's hands within the block: one that was cut off, else a new one.

        None where all trials of the study are done or in other workers' hands.
        """
        with ExitStack() as held:
            with self.turn(), _without_advice():
                trial = self._cut_off(held) or self._new(held)
                claim = None if trial is None else self._claim(trial)
            yield claim

    def finish(self, claim: Claim, state: str, *, score: float = math.nan, **notes: Any) -> None:
        """Record how a trial ended: finished, pruned or failed."""
        if not math.isnan(score):
            notes["score"] = score
        for name, value in notes.items():
            claim.trial.set_user_attr(name, value)
        self._tell(claim.trial, state, score)

    def records(self) -> list[TrialRecord]:
        """All trials that were begun, in order."""
        trials = self._study.get_trials(deepcopy=False)
        return [
            TrialRecord(
                trial.number + 1,
                _STATES[trial.state.name],
                dict(trial.params),
                trial.user_attrs.get("score", math.nan),
                {name: value for name, value in trial.user_attrs.items() if name != "score"},
            )
            for trial in trials
            if trial.state.name in _STATES
        ]

    def importances(self) -> dict[str, float]:
        """How much each dimension had to do with a finished trial's being among the best (PED-ANOVA); they add up to 1.

        Empty where fewer than 4 trials are finished, or nothing differed between them.
        Source: Watanabe et al. 2023, https://arxiv.org/abs/2304.10255.
        """
        trials = [trial for trial in self._study.get_trials(deepcopy=False) if trial.state.name == "COMPLETE"]
        if len(trials) < 4 or len({trial.value for trial in trials}) < 2:
            return {}
        with _without_advice():
            found = self._optuna.importance.get_param_importances(
                self._study, evaluator=self._optuna.importance.PedAnovaImportanceEvaluator()
            )
        return {dimension.name: found[dimension.name] for dimension in self.dimensions if dimension.name in found}

    def _cut_off(self, held: ExitStack) -> "optuna.Trial | None":
        """A trial that a dead worker left, its lock now held; one that was left too often is failed instead."""
        for frozen in self._study.get_trials(deepcopy=False, states=(self._optuna.trial.TrialState.RUNNING,)):
            with ExitStack() as lock:
                try:
                    lock.enter_context(_lock_of(self._run(frozen.number + 1)))
                except ProgramError:
                    continue  # somebody is at it
                # The way of `Study.ask`, which has no public form for a trial that is there already.
                trial = self._optuna.trial.Trial(self._study, frozen._trial_id)
                if frozen.user_attrs.get("attempts", 0) < MAX_ATTEMPTS:
                    held.enter_context(lock.pop_all())
                    return trial
                trial.set_user_attr("failure", f"its worker died at it {MAX_ATTEMPTS} times; out of memory?")
                self._tell(trial, "failed")
        return None

    def _new(self, held: ExitStack) -> "optuna.Trial | None":
        begun = [t for t in self._study.get_trials(deepcopy=False) if t.state.name in _STATES]
        if len(begun) >= self.config.trials:
            return None
        # A sampler of its own for each trial: what is drawn follows from seed, number and the trials before, so that a
        # worker that begins anew draws as if it had never stopped, and two workers never draw the same.
        self._study.sampler = _sampler(self._optuna, self.config, len(begun))
        trial = self._study.ask()
        held.enter_context(_lock_of(self._run(trial.number + 1)))
        return trial

    def _claim(self, trial: "optuna.Trial") -> Claim:
        attempts = trial.user_attrs.get("attempts", 0) + 1
        trial.set_user_attr("attempts", attempts)
        trial.set_user_attr("worker", f"{socket.gethostname()}-{os.getpid()}")
        drawn = {dimension.name: _draw(trial, dimension) for dimension in self.dimensions}
        reported = self._study.get_trials(deepcopy=False)[trial.number].intermediate_values
        number = trial.number + 1  # optuna counts from 0
        return Claim(number, attempts, drawn, self._run(number), frozenset(reported), trial)

    def _tell(self, trial: "optuna.Trial", state: str, score: float = math.nan) -> None:
        name = next(key for key, word in _STATES.items() if word == state)
        self._study.tell(trial, score if state == "finished" else None, state=self._optuna.trial.TrialState[name])

    def _run(self, number: int) -> Path:
        return self.folder / TRIALS / f"{number:04d}"


def require_optuna() -> Any:
    """The module optuna.

    Raises: ProgramError where it is not installed.
    """
    try:
        import optuna  # noqa: PLC0415, an extra
    except ImportError as error:
        raise ProgramError(
            "regact tune", "optuna is not installed", "the extra `tune`", 'say pip install "regact[tune]"'
        ) from error
    return optuna


def workers_alive(folder: Path) -> list[str]:
    """The trials that a worker is at, by their numbers."""
    alive = []
    for run in sorted((folder / TRIALS).glob("[0-9]*")):
        try:
            with _lock_of(run):
                pass
        except ProgramError:
            alive.append(run.name)
    return alive


@contextmanager
def _lock_of(run: Path) -> Iterator[None]:
    run.mkdir(parents=True, exist_ok=True)
    with sole_writer(run, run):
        yield


def _draw(trial: "optuna.Trial", dimension: Dimension) -> Any:
    if dimension.labels:
        return trial.suggest_categorical(dimension.name, dimension.labels)
    if dimension.whole:
        step = int(dimension.step or 1)
        return trial.suggest_int(dimension.name, int(dimension.low), int(dimension.high), step=step, log=dimension.log)
    return trial.suggest_float(dimension.name, dimension.low, dimension.high, step=dimension.step, log=dimension.log)


def _sampler(optuna: Any, config: TuningConfig, number: int) -> Any:
    seed = int(np.random.SeedSequence([config.seed, number]).generate_state(1)[0])
    if config.sampler == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    # constant_liar: trials that others are at count as bad ones, so that workers do not all draw the same region.
    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=config.startup_trials, constant_liar=True)


def _pruner(optuna: Any, config: TuningConfig) -> Any:
    if config.pruner == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=config.startup_trials, n_warmup_steps=config.warmup_epochs)
    if config.pruner == "halving":
        return optuna.pruners.SuccessiveHalvingPruner(min_resource=config.warmup_epochs, reduction_factor=3)
    return optuna.pruners.NopPruner()


@contextmanager
def _without_advice() -> Iterator[None]:
    """Optuna says of some of its parts that they are experimental; its version is pinned by the lock file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", UserWarning)
        yield


class _JournalLock:
    """The lock of the journal for one append; it mends a last line that a kill or a full disk left half written.

    Optuna's own lock is a file that a killed process leaves behind, and half a line would spoil the next one.
    """

    def __init__(self, journal: Path) -> None:
        self._journal, self._held = journal, ExitStack()

    def acquire(self) -> bool:
        self._held.enter_context(take_turns(self._journal.with_name(f".{self._journal.name}.lock")))
        _drop_half_line(self._journal)
        return True

    def release(self) -> None:
        self._held.close()


def _drop_half_line(journal: Path) -> None:
    with journal.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            return
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
