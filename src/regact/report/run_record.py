"""One run as a report shows it, read from its run folder and judged on one split."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from regact.errors import FormatError, RunError
from regact.evaluation import Accuracy, Judgement
from regact.model import Cost, SequenceModel, count, load_model, reach_bp
from regact.training.run_folder import LOG, read_card


@dataclass(frozen=True)
class RunRecord:
    """A trained run: its card, its log (one row an epoch), its best weights and what was found of them on a split."""

    label: str
    card: dict[str, Any]
    log: pd.DataFrame
    model: SequenceModel
    judgement: Judgement

    @property
    def accuracy(self) -> Accuracy:
        """Its accuracy on the split."""
        return self.judgement.accuracy

    @property
    def cost(self) -> Cost:
        """Its parameters and multiply-accumulates."""
        return count(self.model.spec)

    @property
    def reach(self) -> str:
        """How far its bins see to either side."""
        spec = self.model.spec
        reach = reach_bp(spec)
        return "whole window" if reach is None or reach >= spec.window_bp else f"{reach / 1000:.3g} kb"

    @property
    def minutes(self) -> float:
        """Wall-clock minutes of training, validation included."""
        return float(self.log["seconds"].iloc[-1]) / 60

    @property
    def epochs(self) -> str:
        """Finished epochs, and the one whose weights were kept."""
        best = self.card.get("best", {}).get("epoch")
        return f"{len(self.log)}" + (f" (best: {best})" if best else "")


def read_run(run: Path, label: str, judgement: Judgement) -> RunRecord:
    """Read a run folder and join it with what was found of it.

    Raises: RunError where no epoch was finished; FormatError where the log cannot be read.
    """
    try:
        log = pd.read_csv(run / LOG)
    except FileNotFoundError as error:
        raise RunError(run, f"no {LOG} in it", "a run with at least one finished epoch", "train it first") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise FormatError(run / LOG, f"unreadable ({error})", "the log of a run") from error
    return RunRecord(label, read_card(run), log, load_model(run), judgement)


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
