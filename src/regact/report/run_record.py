"""One run as a report shows it, read from its run folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from regact.errors import FormatError, RunError
from regact.model import ModelSpec, load_spec
from regact.training.run_folder import LOG, read_card


@dataclass(frozen=True)
class RunRecord:
    """A trained run: its folder, card, log (one row an epoch) and network."""

    folder: Path
    card: dict[str, Any]
    log: pd.DataFrame
    spec: ModelSpec

    @property
    def seed(self) -> int:
        """What everything random in its training began with."""
        return int(self.card["training"]["seed"])

    @property
    def seconds(self) -> float:
        """Wall-clock time of training, validation included."""
        return float(self.log["seconds"].iloc[-1])

    @property
    def epochs(self) -> str:
        """Finished epochs, and the one whose weights were kept."""
        best = self.card.get("best", {}).get("epoch")
        return f"{len(self.log)}" + (f" (best: {best})" if best else "")


def read_run(run: Path) -> RunRecord:
    """Read a run folder.

    Raises: RunError where no epoch was finished; FormatError where the log cannot be read.
    """
    try:
        log = pd.read_csv(run / LOG)
    except FileNotFoundError as error:
        raise RunError(run, f"no {LOG} in it", "a run with at least one finished epoch", "train it first") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise FormatError(run / LOG, f"unreadable ({error})", "the log of a run") from error
    return RunRecord(run, read_card(run), log, load_spec(run))
