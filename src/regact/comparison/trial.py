"""One training of a comparison: a model of the experiment, and the run folder that holds it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from regact.dataset import Store
from regact.errors import ConfigError
from regact.experiment import Experiment
from regact.model import ModelSpec
from regact.training import choose_device, read_card
from regact.training.card import check_same, describe
from regact.training.run_folder import CARD

RUNS = "runs"


@dataclass(frozen=True)
class Trial:
    """A model by its name, as an experiment of its own, and its run folder."""

    name: str
    experiment: Experiment
    run: Path

    def spec(self, store: Store) -> ModelSpec:
        """The network in full."""
        return self.experiment.model_spec(store.n_tracks)


def list_trials(experiment: Experiment, out: Path) -> list[Trial]:
    """A trial for each model of the experiment's `compare` section, with its run folder below `out`.

    Raises: ConfigError where the section names no model, or with everything that does not fit in any of them.
    """
    trials = [
        Trial(model.title, experiment.with_model(model), out / RUNS / model.title)
        for model in experiment.compare.models
    ]
    problems = [f"{trial.name}: {problem}" for trial in trials for problem in trial.experiment.model_problems()]
    if not trials:
        problems = ["no model is listed; needed at least one"]
    if problems:
        raise ConfigError(f"experiment {experiment.name}: compare.models", problems)
    return trials


def check_trials(trials: Sequence[Trial], store: Store, device: str) -> None:
    """Raise RunError where what an earlier comparison left in a run folder was made otherwise: before any training."""
    for trial in trials:
        if (trial.run / CARD).exists():
            now = describe(
                store, trial.spec(store), trial.experiment.training, choose_device(device), trial.experiment.transfer
            )
            check_same(trial.run, read_card(trial.run), now)
