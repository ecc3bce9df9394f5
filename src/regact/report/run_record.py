"""One run as a report shows it, read from its run folder and judged on one split."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from regact.errors import FormatError, RunError
from regact.evaluate import Accuracy
from regact.model import SequenceModel, load_model
from regact.train.run_folder import LOG, read_card


@dataclass(frozen=True)
class RunRecord:
    """A trained run: its card, its log (one row an epoch), its best weights and their accuracy."""

    label: str
    card: dict[str, Any]
    log: pd.DataFrame
    model: SequenceModel
    accuracy: Accuracy

    @property
    def parameters(self) -> int:
        """Numbers that training can change."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    @property
    def minutes(self) -> float:
        """Wall-clock minutes of training, validation included."""
        return float(self.log["seconds"].iloc[-1]) / 60

    @property
    def epochs(self) -> str:
        """Finished epochs, and the one whose weights were kept."""
        best = self.card.get("best", {}).get("epoch")
        return f"{len(self.log)}" + (f" (best: {best})" if best else "")


def read_run(run: Path, label: str, accuracy: Accuracy) -> RunRecord:
    """Read a run folder and join it with its accuracy.

    Raises: RunError where no epoch was finished; FormatError where the log cannot be read.
    """
    try:
        log = pd.read_csv(run / LOG)
    except FileNotFoundError as error:
        raise RunError(run, f"no {LOG} in it", "a run with at least one finished epoch", "train it first") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise FormatError(run / LOG, f"unreadable ({error})", "the log of a run") from error
    return RunRecord(label, read_card(run), log, load_model(run), accuracy)


def run_labels(runs: Sequence[Path]) -> list[str]:
    """Return a short name for each run: its preset where no other run has it, else its folder's name, else its path."""
    presets = [read_card(run)["model"]["preset"] for run in runs]
    names = [run.resolve().name for run in runs]
    labels = []
    for run, preset, name in zip(runs, presets, names, strict=True):
        if preset and Counter(presets)[preset] == 1:
            labels.append(preset)
        else:
            labels.append(name if Counter(names)[name] == 1 else str(run))
    return labels
