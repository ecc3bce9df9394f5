"""One tower for all: trained once, in a run of its own, and given to every model of a comparison (paper, 4.2 and 6)."""

from collections.abc import Sequence
from pathlib import Path

from regact.comparison.trial import Trial
from regact.errors import ConfigError
from regact.experiment import Experiment
from regact.experiment.comparison_config import Budget
from regact.model import load_spec
from regact.training.transfer import NO_TRANSFER, TransferConfig, mismatches

PRETRAINED = "pretrained"


def tower_trial(experiment: Experiment, out: Path) -> Trial | None:
    """The training whose tower all models get, as `compare.pretrain` asks for it; None where it does not.

    Raises: ConfigError where it does not fit the dataset, or `transfer` names another tower.
    """
    pretrain = experiment.compare.pretrain
    if pretrain is None:
        return None
    training = experiment.training
    if pretrain.epochs is not None:
        training = Budget(epochs=pretrain.epochs).limit(training)
    alone = experiment.with_model(pretrain.model).model_copy(update={"training": training, "transfer": NO_TRANSFER})
    problems = alone.model_problems()
    if experiment.transfer.run is not None:
        problems.append(f"transfer.run names another tower, {experiment.transfer.run}; needed one of the two")
    if problems:
        raise ConfigError(f"experiment {experiment.name}: compare.pretrain", problems)
    return Trial(PRETRAINED, alone, out / PRETRAINED)


def starting_from(tower: Trial | None, experiment: Experiment) -> Experiment:
    """The experiment whose models start from that tower; without one, the experiment as it is."""
    pretrain = experiment.compare.pretrain
    if tower is None or pretrain is None:
        return experiment
    transfer = TransferConfig(
        run=tower.run.absolute(), **pretrain.model_dump(include={"freeze_epochs", "keep_bins", "rate_factor"})
    )
    return experiment.model_copy(update={"transfer": transfer})


def check_towers(trials: Sequence[Trial], tower: Trial | None) -> None:
    """Raise ConfigError, with every mismatch, unless the tower that trials start from, if any, is theirs."""
    problems = []
    for trial in trials:
        transfer = trial.experiment.transfer
        if transfer.run is None:
            continue
        source = tower.experiment.model_spec(n_tracks=1) if tower else load_spec(transfer.run)
        found = mismatches(source, trial.experiment.model_spec(n_tracks=1), transfer)
        problems += [f"{trial.label} cannot start from {transfer.run.name}: {problem}" for problem in found]
    if problems:
        raise ConfigError(f"experiment {trials[0].experiment.name}: compare.models", problems)
