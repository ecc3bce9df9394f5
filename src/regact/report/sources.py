"""What a report is on: run folders that were given, or the runs of a comparison."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regact.errors import FormatError, RunError
from regact.report.comparison_tables import RESULTS, read_table
from regact.training.card import LIMITS
from regact.training.run_folder import read_card


@dataclass(frozen=True)
class Sources:
    """Runs, what the model of each is called (seeds of one model alike), and the comparison that they belong to."""

    runs: tuple[Path, ...]
    labels: tuple[str, ...]
    comparison: Path | None = None

    @property
    def by_label(self) -> dict[str, list[Path]]:
        """The runs of each model, both in the order given."""
        found: dict[str, list[Path]] = {}
        for run, label in zip(self.runs, self.labels, strict=True):
            found.setdefault(label, []).append(run)
        return found


def find_sources(paths: Sequence[str | Path], labels: Sequence[str] | None = None) -> Sources:
    """Return the runs that `paths` name: run folders, or the folder of one comparison, which knows the models' names.

    Without `labels`, one for each run folder, those that differ by nothing but their seed are seeds of one model.

    Raises: ValueError where nothing is given; RunError where a folder is neither, a comparison stands beside others, or
        weights were imported or exported; FormatError where the table of a comparison cannot be read.
    """
    folders = [Path(path) for path in paths]
    if not folders:
        raise ValueError("no run given; needed at least one")
    comparisons = [folder for folder in folders if (folder / RESULTS).is_file()]
    if not comparisons:
        return Sources(tuple(folders), tuple(labels or label_runs(folders)))
    if len(folders) > 1:
        found, remedy = "the folder of a comparison beside others", "or name run folders, such as those in its runs/"
        raise RunError(comparisons[0], found, "it alone", remedy)
    return _runs_of_comparison(folders[0])


def _runs_of_comparison(folder: Path) -> Sources:
    table = read_table(folder / RESULTS, ("model", "run"))
    trained = table.dropna(subset="run").drop_duplicates("run")  # the floor has no run
    if not len(trained):
        raise FormatError(folder / RESULTS, "no model in it", "a finished one at least", "run the comparison again")
    return Sources(tuple(folder / run for run in trained["run"]), tuple(trained["model"]), folder)


def label_runs(runs: Sequence[Path]) -> list[str]:
    """Return a short name for the model of each run; runs that differ by nothing but their seed have one name.

    That is the preset where no other model has it, else the folder's name, else its path.
    """
    cards = [_card_of_training(run) for run in runs]
    keys = [_without_seed(card["model"], card["training"]) for card in cards]
    first = {key: index for index, key in reversed(list(enumerate(keys)))}
    presets = {key: cards[index]["model"]["preset"] for key, index in first.items()}
    names = {key: runs[index].resolve().name for key, index in first.items()}
    labels = {}
    for key, index in first.items():
        if presets[key] and Counter(presets.values())[presets[key]] == 1:
            labels[key] = presets[key]
        else:
            labels[key] = names[key] if Counter(names.values())[names[key]] == 1 else str(runs[index])
    return [labels[key] for key in keys]


def _card_of_training(run: Path) -> dict[str, Any]:
    card = read_card(run)
    if card["store"] is None or "path" not in card["store"]:
        origin = "imported" if card["store"] is None else "exported"
        raise RunError(
            run,
            f"holds {origin} weights, without their training's log and data",
            "a run that was trained here",
            "judge it with `regact evaluate --store`",
        )
    return card


def _without_seed(model: dict[str, object], training: dict[str, object]) -> str:
    settings = {name: value for name, value in training.items() if name != "seed" and name not in LIMITS}
    return json.dumps([model, settings], sort_keys=True)
