"""The figures of a report that compare models: accuracy, differences, cost, training."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from regact.plot import (
    FULL_WIDTH,
    CostPoint,
    LearningCurve,
    plot_cost,
    plot_differences,
    plot_learning_curves,
    plot_scores,
    plot_violins,
    score_height,
    title_panel,
)
from regact.report.comparison_tables import Differences
from regact.report.figure import FigureBlock, figure_block
from regact.report.model_record import Judged, ModelRecord

_MOST_COLUMNS = 3
_PEARSON = "Pearson correlation ρ"


def accuracy_figure(models: Sequence[ModelRecord], floor: Judged) -> FigureBlock:
    """Return the paper's Figure 7: ρ of every model, one panel for each assay."""
    assays = _assays(models)

    def draw(assay: str, ax: Axes) -> None:
        plot_scores([judged.assay_score(assay, "pearson") for judged in (*models, floor)], quantity=_PEARSON, ax=ax)

    caption = "ρ of each model by assay (the paper's Figure 7): the mean over the assay's tracks."
    if any(model.assay_score(assay, "pearson").has_interval for model in models for assay in assays):
        caption += " Lines: 95 % intervals."
    if any(len(model.runs) > 1 for model in models):
        caption += " Dots: single seeds; bars: their mean."
    return figure_block(
        _panels(assays, len(models) + 1, draw), alt=f"Bars of {_PEARSON} of each model, by assay", caption=caption
    )


def violin_figure(models: Sequence[ModelRecord]) -> FigureBlock:
    """Return the accuracy of every single track of every model, one panel for each assay."""
    assays = models[0].judgements[0].accuracy.tracks["assay"].to_numpy()

    def draw(assay: str, ax: Axes) -> None:
        values = {model.label: model.track_scores("pearson")[assays == assay] for model in models}
        plot_violins(values, quantity=f"{_PEARSON} of a track", ax=ax)

    caption = "ρ of every track by model: its distribution, and its median as a dark line."
    if any(len(model.runs) > 1 for model in models):
        caption += " A track's ρ is the mean over seeds."
    return figure_block(
        _panels(_assays(models), len(models), draw), alt=f"Violins of {_PEARSON} of single tracks", caption=caption
    )


def _assays(models: Sequence[ModelRecord]) -> dict[str, int]:
    """Return the assays, and of how many tracks each has a number."""
    table = models[0].judgements[0].accuracy.assays
    return {str(assay): int(tracks) for assay, tracks in zip(table["assay"], table["tracks"], strict=True)}


def _panels(assays: Mapping[str, int], rows: int, draw: Callable[[str, Axes], object]) -> Figure:
    """Return a figure with a panel for each assay, which share both axes, models from top to bottom in each."""
    columns = min(_MOST_COLUMNS, len(assays))
    lines = -(-len(assays) // columns)
    figure = Figure(figsize=(FULL_WIDTH, lines * score_height(rows)), layout="constrained")
    grid = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    for ax in grid.flat[len(assays) :]:
        ax.set_visible(False)
    for index, (assay, tracks) in enumerate(assays.items()):
        ax = grid.flat[index]
        draw(assay, ax)
        title_panel(ax, f"{assay}: {tracks:,} track{'s' * (tracks != 1)}")
        ax.tick_params(labelleft=index % columns == 0, labelbottom=True)
    return figure


def distal_figure(models: Sequence[ModelRecord], floor: Judged) -> FigureBlock | None:
    """Return distal accuracy between its ceilings; None where data is not simulated or has too few promoters."""
    distal = models[0].judgements[0].distal
    if distal is None or not distal.is_computed:
        return None
    scores = [judged.distal_score() for judged in (*models, floor)]
    limits = {"the truth": 1.0, f"the truth within {distal.reach_bp / 1000:.3g} kb": distal.within_reach}
    return figure_block(
        plot_scores(scores, limits=limits, quantity="distal accuracy (correlation)"),
        alt="Bars of the distal accuracy of each model, with what can be known within R and at all",
        caption=f"Distal accuracy at {distal.n_promoters} promoters of the {distal.split} split that are driven from "
        f"beyond {distal.reach_bp:,} bp. Dashed: what the true rate reaches, with and without all beyond that.",
    )


def difference_figure(found: Differences, *, quantity: str, split: str) -> FigureBlock:
    """Return every model less every other, in one measure."""
    called = int(found.differs.sum()) // 2
    pairs = int(np.isfinite(found.difference).sum()) // 2
    return figure_block(
        plot_differences(found.names, found.difference, found.differs, quantity=f"difference in {quantity}"),
        alt=f"Differences in {quantity} between all pairs of models",
        caption=f"Differences in {quantity} on the {split} split. Coloured, bold: called a difference (blue: the row's "
        f"model is better), {called} of {pairs} pairs; grey: the 95 % interval of the paired difference holds 0, or p "
        "after Holm's correction is 0.05 or more.",
    )


def cost_figure(models: Sequence[ModelRecord], *, measure: str, quantity: str) -> FigureBlock:
    """Return accuracy against multiply-accumulates, parameters and seconds of training."""
    costs: dict[str, Callable[[ModelRecord], float]] = {
        "GMAC, forward, one window": lambda model: model.cost.gmac,
        "parameters (million)": lambda model: model.cost.parameters / 1e6,
        "training of one seed (s)": lambda model: model.seconds,
    }
    figure = Figure(figsize=(FULL_WIDTH, 3.3 + 0.18 * (-(-len(models) // 4))), layout="constrained")
    axes = figure.subplots(1, len(costs), sharey=True)
    for ax, (name, cost_of) in zip(axes, costs.items(), strict=True):
        points = [CostPoint(cost_of(model), model.score(measure)) for model in models]
        plot_cost(points, cost=name, quantity=quantity, ax=ax)
        ax.label_outer()
    figure.legend(*axes[0].get_legend_handles_labels(), frameon=False, fontsize=8, ncols=4, loc="outside lower center")
    return figure_block(
        figure,
        alt=f"{quantity} against multiply-accumulates, parameters and training time of each model",
        caption=f"What each model costs against its {quantity} (mean over tracks): up and to the left is better. Costs "
        "are on logarithmic axes.",
    )


def learning_figures(models: Sequence[ModelRecord]) -> list[FigureBlock]:
    """Return loss and validation accuracy over epochs."""

    def curves(valid: str, train: str | None = None) -> list[LearningCurve]:
        return [
            LearningCurve(
                model.label,
                run.log["epoch"].to_numpy(float),
                run.log[valid].to_numpy(float),
                None if train is None else run.log[train].to_numpy(float),
            )
            for model in models
            for run in model.runs
        ]

    loss = plot_learning_curves(curves("valid_loss", "train_loss"), quantity="log-Poisson loss, mean of bins")
    pearson = plot_learning_curves(curves("valid_pearson"), quantity="ρ on validation, mean of tracks")
    return [
        figure_block(
            loss,
            alt="Loss of each model over epochs",
            caption="Loss: full lines validation, dashed training; a first epoch far off is left outside the frame.",
        ),
        figure_block(pearson, alt="ρ of each model on validation over epochs", caption="ρ on the validation split."),
    ]
