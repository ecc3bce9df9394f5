"""The run folder: what a training leaves behind, from its first minute to its end.

    config.yaml          every setting, resolved
    weights.safetensors  the best weights so far, with the model's spec
    card.json            what the run was made from, and its `state`: training, interrupted, failed or finished
                         (imported where the weights come from elsewhere: pretrained/run_folder.py)
    log.csv              one row an epoch
    metrics.tsv          accuracy of the best weights per track on the validation split (when finished)
    windows.bed          which windows it was trained on, and which not (seen_windows.py)
    last/                the state to resume from

Unlike other outputs a run folder is there from the start, so that it can be watched and resumed; `state` tells whether
it is whole.
"""

import csv
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from regact.engine import check_checksums, sole_writer, whole_file, write_json
from regact.errors import OutputExistsError, RunError

CARD, CONFIG, LOG, METRICS, LAST = "card.json", "config.yaml", "log.csv", "metrics.tsv", "last"
RUN_FORMAT = 1


@contextmanager
def claim_run_folder(run: Path, *, overwrite: bool, resume: bool) -> Iterator[bool]:
    """Keep other processes from writing the folder within the block; yield whether there is a run in it to resume.

    With `resume` and nothing there, a new run begins: the same command can be repeated until it is through.

    Raises: OutputExistsError where something is there and neither `overwrite` nor `resume` says what to do with it, or
        where what `overwrite` would delete is no run folder; ProgramError where another process is training there.
    """
    is_run = (run / CARD).exists()
    goes_on = resume and is_run
    if not goes_on and not (overwrite and is_run) and _holds_something(run):
        needed = "a new name" if is_run else "a run folder or a new name"
        hint = "or say --resume to go on with it, --overwrite to replace it" if is_run else "choose another --out"
        raise OutputExistsError(run, "already there", needed, hint)
    last = run / LAST
    last.mkdir(parents=True, exist_ok=True)
    with sole_writer(last, run):  # the lock lies in a folder that nobody copies
        if is_run and not goes_on:
            (run / CARD).unlink()  # first, so that what a kill leaves is no run
            _remove_all_but(last, run)
        yield goes_on


def _holds_something(run: Path) -> bool:
    """Whether there is more at `run` than the empty folders that a killed start leaves."""
    if not run.is_dir():
        return run.exists()
    return any(path.is_file() and not path.name.startswith(".") for path in run.rglob("*"))


def _remove_all_but(kept: Path, folder: Path) -> None:
    """Empty `folder`; of the folder `kept` in it, keep the lock."""
    for entry in [*folder.iterdir(), *kept.iterdir()]:
        if entry == kept or entry.name.startswith("."):
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def write_card(run: Path, **entries: Any) -> None:
    """Add or replace entries of the card."""
    card = read_card(run) if (run / CARD).exists() else {"format": RUN_FORMAT, "started": _now()}
    write_json(run / CARD, card | entries | {"updated": _now()})


def read_card(run: Path) -> dict[str, Any]:
    """The card of a run folder.

    Raises: RunError where there is none or it is of a newer format; FormatError where that of an exported folder was
        changed.
    """
    check_checksums(run, [CARD])
    try:
        card = json.loads((run / CARD).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError(run, f"no {CARD} in it", "a run folder", "make one with `regact train`") from error
    except (ValueError, OSError) as error:
        raise RunError(run / CARD, f"unreadable ({error})", "a run folder's card") from error
    if not isinstance(card, dict) or card.get("format") != RUN_FORMAT:
        raise RunError(run / CARD, "not a card of this version of regact", f"format {RUN_FORMAT}", "train again")
    return card


def write_settings(run: Path, settings: Mapping[str, Any]) -> None:
    """Write the resolved settings as YAML."""
    with whole_file(run / CONFIG) as path:
        path.write_text(yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True), encoding="utf-8")


def write_log(run: Path, history: Sequence[Mapping[str, float]]) -> None:
    """Write one row per finished epoch, all of them each time: what a killed run had logged and not saved goes away.

    Before the first epoch is finished there is no log.
    """
    if not history:
        (run / LOG).unlink(missing_ok=True)
        return
    with whole_file(run / LOG) as path, path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(history[0]))
        writer.writeheader()
        writer.writerows({name: _text(value) for name, value in row.items()} for row in history)


def _text(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.6g}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
