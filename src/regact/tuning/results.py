"""What a study leaves for eyes and for `regact train`: the table of its trials, two pictures, and the best as YAML."""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import yaml
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from regact.engine import whole_file
from regact.experiment import Experiment
from regact.plot import ParallelAxis, plot_importance, plot_parallel_coordinates
from regact.tuning.candidate import candidate
from regact.tuning.space import Dimension, SearchSpace, label
from regact.tuning.study import Study, TrialRecord
from regact.tuning.trial import STORES

TABLE, BEST, IMPORTANCE, PARALLEL = "trials.tsv", "best.yaml", "importance.png", "parallel.png"
_TICKS = 5
_DPI = 150


def write_results(study: Study, experiment: Experiment, space: SearchSpace) -> None:
    """Write everything anew from what the study knows; pictures and best where there is something to show."""
    out, records = study.folder, study.records()
    write_table(out / TABLE, records, space, judged_by=experiment.training.judged_by)
    best = best_trial(records)
    if best is None:
        return
    write_best(out / BEST, best, experiment, space, out)
    judged = [record for record in records if not math.isnan(record.score)]
    score_name = f"valid {experiment.training.judged_by}"
    if len(judged) > 1:
        _save(draw_parallel(judged, space, score_name=score_name, best=best), out / PARALLEL)
    if importances := study.importances():
        _save(plot_importance(importances, quantity=f"importance for {score_name} (PED-ANOVA)"), out / IMPORTANCE)


def best_trial(records: Sequence[TrialRecord]) -> TrialRecord | None:
    """The finished trial of the highest score, the earlier of two equal ones; None where none is finished."""
    finished = [record for record in records if record.state == "finished"]
    return max(finished, key=lambda record: record.score, default=None)


def write_table(path: Path, records: Sequence[TrialRecord], space: SearchSpace, *, judged_by: str) -> None:
    """One row a trial: its state, score and length, a column for each setting, and why it failed where it did."""
    columns = ["trial", "state", judged_by, "epochs", "best_epoch", "seconds", *space.domains, "attempts", "failure"]
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, delimiter="\t", lineterminator="\n", restval="")
        writer.writeheader()
        for record in records:
            known = {"trial": record.number, "state": record.state} | dict(record.notes)
            if not math.isnan(record.score):
                known[judged_by] = record.score
            if len(record.drawn) == len(space.dimensions):  # a kill may have come while they were drawn
                known |= space.values(record.drawn)
            writer.writerow({name: label(known[name]) for name in columns if name in known})


def write_best(path: Path, best: TrialRecord, experiment: Experiment, space: SearchSpace, out: Path) -> None:
    """The experiment with the best trial's values, in full, as `regact train` takes it."""
    plan = candidate(experiment, space.values(best.drawn), stores=out / STORES)
    about = [
        f"The best of a study of {experiment.name}: trial {best.number}, "
        f"valid {experiment.training.judged_by} {best.score:.6g} after epoch {best.notes['best_epoch']}.",
        *(f"{path}: {label(value)}" for path, value in space.values(best.drawn).items()),
    ]
    text = yaml.safe_dump(plan.settings(), sort_keys=False, allow_unicode=True)
    with whole_file(path) as temporary:
        temporary.write_text("".join(f"# {line}\n" for line in about) + text, encoding="utf-8")


def draw_parallel(records: Sequence[TrialRecord], space: SearchSpace, *, score_name: str, best: TrialRecord) -> Axes:
    """A line for each trial across its settings, ending at its score."""
    scores = np.array([record.score for record in records])
    low, high = _score_limits(scores)
    axes = [_axis(dimension) for dimension in space.dimensions]
    ticks = [tick for tick in MaxNLocator(_TICKS).tick_values(low, high) if low <= tick <= high]
    axes.append(ParallelAxis(score_name, {f"{tick:.3g}": (tick - low) / (high - low) for tick in ticks}))
    places = [[dimension.share(record.drawn[dimension.name]) for dimension in space.dimensions] for record in records]
    shares = np.clip((scores - low) / (high - low), 0, 1)
    return plot_parallel_coordinates(
        axes,
        np.column_stack([np.array(places).reshape(len(records), -1), shares]),
        scores=np.clip(scores, low, high),
        faint=np.array([record.state == "pruned" for record in records]),
        best=next(i for i, record in enumerate(records) if record.number == best.number),
        quantity=score_name,
    )


def _score_limits(scores: np.ndarray) -> tuple[float, float]:
    """The range worth showing: a few hopeless trials must not press all others together."""
    low, high = float(np.quantile(scores, 0.1)), float(scores.max())
    low = max(float(scores.min()), low - 0.5 * (high - low))
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _axis(dimension: Dimension) -> ParallelAxis:
    if dimension.labels:
        return ParallelAxis(dimension.name, {text: dimension.share(text) for text in dimension.labels})
    values = [dimension.at(share) for share in np.linspace(0, 1, _TICKS)]
    return ParallelAxis(dimension.name, {f"{value:.2g}": dimension.share(value) for value in dict.fromkeys(values)})


def _save(ax: Axes, path: Path) -> None:
    figure = ax.get_figure(root=True)
    if figure is None:
        raise ValueError("the axes belong to no figure")
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=_DPI)


def describe_values(values: Mapping[str, object]) -> str:
    """The settings of a trial in a line."""
    return ", ".join(f"{path} {label(value)}" for path, value in values.items())
