"""One training of a comparison: a model of the experiment, and the run folder that holds it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from regact.dataset import Store
from regact.errors import ConfigError
from regact.experiment import Experiment
from regact.model import ModelSpec, count, summarize_context
from regact.training import choose_device, read_card
from regact.training.card import check_same, describe
from regact.training.run_folder import CARD

RUNS = "runs"


@dataclass(frozen=True)
class Trial:
    """A model by its name, as an experiment of its own, its run folder, and its seed where there are several."""

    name: str
    experiment: Experiment
    run: Path
    seed: int | None = None

    @property
    def label(self) -> str:
        """Its name, with the seed."""
        return self.name if self.seed is None else f"{self.name}, seed {self.seed}"

    def spec(self, store: Store) -> ModelSpec:
        """The network in full."""
        return self.experiment.model_spec(store.n_tracks)


def list_trials(experiment: Experiment, out: Path) -> list[Trial]:
    """A trial for each seed and model of the experiment's `compare` section, with its run folder below `out`.

    That is `runs/NAME` where no seeds are listed, else `runs/NAME_seedN`, so that seeds can be added later. All models
    are trained with one seed before the next: what is stopped half way compares all of them.

    Raises: ConfigError where the section names no model, or with everything that does not fit in any of them.
    """
    seeds, models = experiment.compare.seeds, experiment.compare.models
    alone = {model.title: experiment.with_model(model) for model in models}
    problems = [f"{name}: {problem}" for name, plan in alone.items() for problem in plan.model_problems()]
    trials = [Trial(name, plan, out / RUNS / name) for name, plan in alone.items()]
    if seeds:
        trials = [
            Trial(name, plan.with_seed(seed), out / RUNS / f"{name}_seed{seed}", seed)
            for seed in seeds
            for name, plan in alone.items()
        ]
    if not trials:
        problems = ["no model is listed; needed at least one"]
    if problems:
        raise ConfigError(f"experiment {experiment.name}: compare.models", problems)
    return trials


def check_trials(trials: Sequence[Trial], store: Store, device: str) -> None:
    """Raise RunError where what an earlier comparison left in a run folder was made otherwise: before any training."""
    for trial in trials:
        # What tables say of a model: a kind that one of them does not know must not show after its training.
        count(trial.spec(store))
        summarize_context(trial.spec(store))
        if (trial.run / CARD).exists():
            now = describe(
                store, trial.spec(store), trial.experiment.training, choose_device(device), trial.experiment.transfer
            )
            check_same(trial.run, read_card(trial.run), now)
