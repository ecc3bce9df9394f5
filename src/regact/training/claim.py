"""A run folder and its card among several processes: the first one claims it, writes and says what went wrong."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric

from regact.errors import TrainingError
from regact.training.card import check_resume
from regact.training.run_folder import claim_run_folder, read_card, write_card


@contextmanager
def claim_for_all(
    out: Path, fabric: Fabric, about: Mapping[str, Any], *, overwrite: bool, resume: bool
) -> Iterator[bool]:
    """Let the first process claim the run folder for all; yield whether there is a run in it to resume.

    Where it cannot, it says why, and the others end without a word.
    """
    with ExitStack() as stack:
        goes_on = None
        try:
            if fabric.is_global_zero:
                goes_on = stack.enter_context(claim_run_folder(out, overwrite=overwrite, resume=resume))
                if goes_on:
                    check_resume(out, read_card(out), about)
        except BaseException:
            goes_on = None
            raise
        finally:
            goes_on = fabric.broadcast(goes_on)
        if goes_on is None:
            raise SystemExit(1)
        yield goes_on


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
