"""A run folder and its card among several processes: the first one claims it, writes and says what went wrong."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric

from regact.errors import RunError, TrainingError
from regact.training.card import check_resume, is_over
from regact.training.run_folder import claim_run_folder, read_card, write_card
from regact.training.state import STATE_FILE, has_state


class Claim(StrEnum):
    """What there is to do in a run folder that was claimed."""

    begin = "begin"
    go_on = "go on"
    nothing = "nothing"  # the run is finished, and nobody asks for more


@contextmanager
def claim_for_all(
    out: Path, fabric: Fabric, about: Mapping[str, Any], *, overwrite: bool, resume: bool
) -> Iterator[Claim]:
    """Let the first process claim the run folder for all; yield what there is to do in it.

    Where it cannot, it says why, and the others end without a word.
    """
    with ExitStack() as stack:
        claim = None
        try:
            if fabric.is_global_zero:
                is_there = stack.enter_context(claim_run_folder(out, overwrite=overwrite, resume=resume))
                claim = _look_at(out, about) if is_there else Claim.begin
        finally:
            claim = fabric.broadcast(claim)
        if claim is None:
            raise SystemExit(1)
        yield claim


def _look_at(out: Path, about: Mapping[str, Any]) -> Claim:
    """What is left to do of the run that is there; RunError where it cannot go on as `about` says."""
    card = read_card(out)
    check_resume(out, card, about)
    if is_over(card, about):
        return Claim.nothing
    if card["state"] == "finished" and not has_state(out):  # else it would be trained once more, and written over
        raise RunError(out / STATE_FILE, "no saved state", "that of the finished run, to train it further")
    return Claim.go_on


@contextmanager
def told_once(out: Path, fabric: Fabric) -> Iterator[None]:
    """Let the card say how the block ended, where it did not end well.

    What all processes meet at once is told by the first; what only one of them meets, by that one.
    """
    try:
        yield
    except BaseException as error:
        if fabric.is_global_zero:
            write_card(out, state="interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
        elif isinstance(error, TrainingError | KeyboardInterrupt):
            raise SystemExit(1) from None
        raise
