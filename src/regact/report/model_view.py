"""What is drawn from a model's weights: its distance functions, and what it predicts in a region and over a split."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten

import numpy as np
from jaxtyping import Float32, Int64
from matplotlib.figure import Figure

from regact.dataset import Store
from regact.genome import Genome
from regact.model import load_model
from regact.plot import (
    FULL_WIDTH,
    DistanceCurve,
    TrackPanel,
    plot_density,
    plot_distance,
    plot_tracks,
    title_panel,
)
from regact.report.distance import distance_curves
from regact.report.figure import FigureBlock, figure_block
from regact.report.model_record import ModelRecord
from regact.report.prediction_sample import PredictionSample, sample_predictions
from regact.report.region import RegionBins
from regact.training import choose_device

MOST_ASSAYS, MOST_SAMPLES = 4, 4
_DENSITY_COLUMNS = 5
MOST_LETTERS = 110  # of the name of a track: what fits above its panel


@dataclass(frozen=True)
class ModelView:
    """A model by its label: f of each head, its rates in a region, and its pairs of measured and predicted values."""

    label: str
    curves: list[DistanceCurve]
    predicted: Float32[np.ndarray, "track bin"]
    sample: PredictionSample


def view_model(
    model: ModelRecord, store: Store, genome: Genome, bins: RegionBins, *, split: str, device: str
) -> ModelView:
    """Load the model's shown run, ask it, and let it go: a comparison's models together may be too large for memory."""
    network = load_model(model.shown.folder)
    curves = distance_curves(network)
    network.to(choose_device(device))
    return ModelView(
        model.label,
        curves,
        bins.predicted(network, store, genome),
        sample_predictions(network, store, genome, split),
    )


def distance_figures(views: Sequence[ModelView]) -> list[FigureBlock]:
    """Return the paper's Figure 8: the distance functions of each model that has any."""
    return [
        figure_block(
            plot_distance(view.curves),
            alt=f"Distance functions of the heads of {view.label}",
            caption=f"{view.label}: how much a bin at this distance may count, for every head.",
        )
        for view in views
        if view.curves
    ]


def region_figures(
    views: Sequence[ModelView], best: str, store: Store, bins: RegionBins, *, tracks: Sequence[str] = ()
) -> list[FigureBlock]:
    """Return the paper's Figure 9: a region as measured and as predicted.

    One figure for each assay, with a panel a sample, as the model `best` predicts them; then, of several models, one
    of a single track with a panel a model. `tracks` names those to show (`TrackSheet.rows`), instead of the first of
    each assay.
    """
    measured = bins.measured(store)
    chosen = store.sheet.rows(tracks) if len(tracks) else np.arange(store.n_tracks)
    view = next(view for view in views if view.label == best)
    figures = []
    for assay in list(dict.fromkeys(store.sheet.assays[track] for track in chosen))[:MOST_ASSAYS]:
        samples = choose_samples(store, [int(track) for track in chosen if store.sheet.assays[track] == assay])
        panels = [TrackPanel(_title(store, track), measured[track], view.predicted[track]) for track in samples]
        caption = f"{assay} in {bins.region}, measured (light) and as {best} predicts it (dark); all panels share axes."
        figures.append(_region_figure(panels, bins, f"{assay} measured and predicted by {best}", caption))
    if len(views) > 1:
        track = choose_samples(store, [int(track) for track in chosen])[0]
        panels = [TrackPanel(view.label, measured[track], view.predicted[track]) for view in views]
        caption = f"{_title(store, track)} in the same region, measured (light) and as each model predicts it (dark)."
        figures.append(_region_figure(panels, bins, f"{_title(store, track)}: measured and predicted", caption))
    return figures


def _region_figure(panels: Sequence[TrackPanel], bins: RegionBins, alt: str, caption: str) -> FigureBlock:
    axes = plot_tracks(panels, chrom=bins.region.chrom, edges=bins.edges)
    return figure_block(axes[0], alt=f"{alt} in {bins.region}", caption=caption)


def choose_samples(store: Store, tracks: Sequence[int]) -> list[int]:
    """Return the first few of some tracks; of a strand pair, the first alone: the other is the same sample."""
    pair = store.sheet.strand_pair
    kept: list[int] = []
    for track in tracks:
        if len(kept) < MOST_SAMPLES and int(pair[track]) not in kept:
            kept.append(track)
    return kept


def _title(store: Store, track: int) -> str:
    record = store.sheet.tracks[track]
    text = record.description.partition(":")[2].strip()
    return shorten(f"{record.identifier}: {text}" if text else record.identifier, MOST_LETTERS, placeholder=" ...")


def density_figures(views: Sequence[ModelView]) -> list[FigureBlock]:
    """Return predicted against measured values, one figure for each assay with a panel a model."""
    sample = views[0].sample
    return [
        figure_block(
            _density_figure(views, assay),
            alt=f"{assay}: map of predicted against measured counts for each model",
            caption=f"{assay}: predicted against measured counts of bins, all tracks, {sample.n_windows} windows "
            "spread over the split. Darker: more bins (logarithmic, the same in all panels); dashed: equal.",
        )
        for assay in list(sample.counts)[:MOST_ASSAYS]
    ]


def _density_figure(views: Sequence[ModelView], assay: str) -> Figure:
    counts: list[Int64[np.ndarray, "measured predicted"]] = [view.sample.counts[assay] for view in views]
    most = float(max(table.max() for table in counts))
    columns = min(_DENSITY_COLUMNS, len(views))
    lines = -(-len(views) // columns)
    side = min(FULL_WIDTH / columns, 3.2)
    figure = Figure(figsize=(columns * side, lines * side + 0.5), layout="constrained")
    grid = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    for index, (view, table) in enumerate(zip(views, counts, strict=True)):
        ax = grid.flat[index]
        plot_density(table, view.sample.edges[assay], most=most, ax=ax)
        title_panel(ax, view.label)
        if index % columns:
            ax.set_ylabel("")
        if has_one_below := index + columns < len(views):
            ax.set_xlabel("")
        ax.tick_params(labelbottom=not has_one_below)
    for ax in grid.flat[len(views) :]:
        ax.set_visible(False)
    return figure
