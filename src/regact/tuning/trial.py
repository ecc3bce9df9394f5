"""One trial of a study: the experiment trained with what was drawn, to its end or until others prove better."""

import csv
import math
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from regact.engine import take_turns
from regact.errors import ConfigError, DataError, RunError, TrainingError
from regact.experiment import Experiment, import_missing_weights, open_or_build_store, train_experiment
from regact.training import read_card
from regact.training.run_folder import LAST, LOG
from regact.tuning.candidate import candidate
from regact.tuning.space import SearchSpace
from regact.tuning.study import Claim

STORES, BUILDING = "stores", ".building"
# What may be wrong with one draw and right with the next; anything else (a full disk, a missing device) ends the study.
TRIAL_ERRORS = (TrainingError, ConfigError, DataError, MemoryError)

TrialEpochReport = Callable[[int, Mapping[str, float]], object]


@dataclass(frozen=True)
class Outcome:
    """How a trial ended: finished, pruned or failed; its best score, and what else is known."""

    state: str
    score: float = math.nan
    notes: Mapping[str, Any] = field(default_factory=dict)


def run_trial(
    experiment: Experiment,
    space: SearchSpace,
    claim: Claim,
    out: Path,
    *,
    device: str,
    workers: int | None,
    command: str,
    tell: Callable[[str], object],
    on_epoch: TrialEpochReport | None,
) -> Outcome:
    """Train the experiment with the values of the trial, going on where an earlier worker was cut off.

    What can be wrong with these values alone (they do not fit each other, the loss became NaN, the memory was full) is
    the outcome `failed` with its reason; all else is raised.
    """
    judged_by = experiment.training.judged_by
    pruned = "pruned: below other trials at this epoch"

    def judge(row: Mapping[str, float]) -> str | None:
        if on_epoch:
            on_epoch(claim.number, row)
        return pruned if claim.judge(int(row["epoch"]), row[f"valid_{judged_by}"]) else None

    try:
        plan = candidate(experiment, space.values(claim.drawn), stores=out / STORES)
        with take_turns(out / BUILDING):  # the first of several workers builds, the others wait
            open_or_build_store(plan, workers=workers, tell=tell)
            import_missing_weights(plan, tell=tell)
        train = partial(
            train_experiment, plan, claim.run, device=device, workers=workers, command=command, on_epoch=judge
        )
        try:
            train(resume=True)
        except RunError:
            if claim.attempts == 1:
                raise
            tell(f"trial {claim.number} cannot go on where it was cut off; it begins anew")
            train(overwrite=True)
    except TRIAL_ERRORS as error:
        return _failed(error)
    except RuntimeError as error:
        if "memory" not in str(error):  # torch has no class of its own for the CPU's memory being full
            raise
        return _failed(error)
    return _outcome(claim.run, judged_by, pruned)


def _failed(error: BaseException) -> Outcome:
    return Outcome("failed", notes={"failure": " ".join(str(error).split()) or type(error).__name__})


def _outcome(run: Path, judged_by: str, pruned: str) -> Outcome:
    card = read_card(run)
    score, notes = card["best"][judged_by], _notes(run, card)
    shutil.rmtree(run / LAST, ignore_errors=True)  # three times the weights, of use to an unfinished run only
    if score is None:
        return Outcome("failed", notes=notes | {"failure": "no score: no track varies in the validation split"})
    return Outcome("pruned" if card["ended"] == pruned else "finished", score, notes)


def _notes(run: Path, card: Mapping[str, Any]) -> dict[str, Any]:
    with (run / LOG).open(newline="", encoding="utf-8") as file:
        *_, row = csv.DictReader(file)
    return {"epochs": int(row["epoch"]), "best_epoch": card["best"]["epoch"], "seconds": float(row["seconds"])}
