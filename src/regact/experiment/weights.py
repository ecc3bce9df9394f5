"""The run that an experiment starts from, imported where it is not there yet."""

from collections.abc import Callable
from pathlib import Path

from regact.dataset.basenji import read_sample_sheet
from regact.experiment.experiment import Experiment
from regact.experiment.weights_config import Basenji2018Weights, KerasWeights
from regact.pretrained import import_basenji_2018, import_keras
from regact.tracks import TrackSheet, read_published_sheet

Tell = Callable[[str], object]


def import_missing_weights(experiment: Experiment, *, tell: Tell = lambda remark: None) -> None:
    """Import the published weights of an experiment as its `transfer.run`, unless that is there.

    `tell` is called with what is being done and each remark of the import.

    Raises: as `import_basenji_2018` and `import_keras`.
    """
    run = experiment.transfer.run
    if experiment.weights is None or run is None or run.exists():
        return
    tell(f"{run} is not there; importing its weights")
    import_weights(experiment.weights, run, tell=tell)


def import_weights(weights: Basenji2018Weights | KerasWeights, out: Path, *, tell: Tell = lambda remark: None) -> Path:
    """Write weights that an experiment names as the run folder `out`; return it."""
    sheet = _read_sheet(weights, tell)
    if isinstance(weights, Basenji2018Weights):
        return import_basenji_2018(weights.index, out, params=weights.params, sheet=sheet, windows=weights.trained_on)
    return import_keras(
        weights.file,
        out,
        params=weights.params,
        head=weights.head,
        gelu=weights.gelu,
        sheet=sheet,
        windows=weights.trained_on,
        tell=tell,
    )


def _read_sheet(weights: Basenji2018Weights | KerasWeights, tell: Tell) -> TrackSheet | None:
    if weights.tracks is not None:
        return read_published_sheet(weights.tracks, tell=tell)
    samples = weights.samples if isinstance(weights, Basenji2018Weights) else None
    return None if samples is None else read_sample_sheet(samples, tell=tell)
