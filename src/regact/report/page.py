"""The report: models trained on one dataset, side by side, on one HTML page that needs no other file."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from regact.dataset import Store
from regact.engine import whole_file
from regact.errors import RunError
from regact.evaluation import Judgement, judge, judge_baseline, open_store_of
from regact.evaluation.baselines import NAME as BASELINE
from regact.genome import Interval, parse_region
from regact.report import figures
from regact.report.comparison_tables import Intervals, read_differences, read_intervals
from regact.report.figure import FigureBlock
from regact.report.model_record import Judged, ModelRecord
from regact.report.model_view import density_figures, distance_figures, region_figures, view_model
from regact.report.provenance import describe_runs, experiment_of
from regact.report.region import WINDOWS_LOOKED_AT, RegionBins, choose_region, find_bins
from regact.report.render import render_page
from regact.report.run_record import read_run
from regact.report.sources import Sources, find_sources
from regact.report.tables import accuracy_table, assay_table, cost_table, dataset_tables
from regact.training.run_folder import read_card

MOST_IN_TITLE = 3
# Measures of differences.tsv that the page draws, and what it calls them.
_COMPARED = {"pearson": "ρ", "pearson_log1p": "ρ of log(1+x)", "distal_accuracy": "distal accuracy"}


def write_report(
    runs: Sequence[str | Path] | str | Path,
    out: str | Path,
    *,
    split: str = "test",
    region: str | Interval | None = None,
    tracks: Sequence[str] = (),
    store: str | Path | None = None,
    genome: str | Path | None = None,
    device: str = "auto",
    workers: int | None = None,
    command: str = "",
) -> Path:
    """Judge models on `split` and write them side by side as one HTML page; return `out`.

    A run that was judged before, by its present weights, is not predicted again.

    Args:
        runs: The folder of a comparison, whose intervals and differences the page shows too; or run folders, all
            trained on the same dataset. Runs that differ by nothing but their seed are one model.
        out: The page.
        split: train, valid or test.
        region: What to show of the genome, "chrI:1,000-2,000" or an interval; without it, a window of the split where
            signal rises and falls much (`choose_region`).
        tracks: The tracks to show there, as `TrackSheet.rows` takes them; without any, the first of each assay.
        store: The dataset, where it is not where the runs found it.
        genome: FASTA of the genome, where it is not where the store found it.
        device: Where predictions are made.
        workers: Processes that read ahead; without a number, as `choose_readers` says.
        command: What the page shall say it was made by.

    Raises:
        RunError: a folder is no run, has no finished epoch, or the runs are of different datasets.
        StoreError, DataError: the store or its genome cannot be opened, the split is empty, or the region has no bins.
        FormatError: the region is none, or a table of the comparison cannot be read.
        ConfigError: there is no such track.
    """
    sources = find_sources([runs] if isinstance(runs, str | Path) else runs)
    dataset = _shared_store(sources.runs, store)
    bases = dataset.open_genome(genome)
    bins = find_bins(dataset, _interval(region) or choose_region(dataset, split))
    dataset.sheet.rows(tracks)  # what names no track is found before anything is predicted
    ask = partial(judge, split=split, store=dataset, genome=bases, device=device, workers=workers)
    floor = judge_baseline(dataset, bases, splits=[split], folder=sources.comparison or sources.runs[0])[0]
    models, judged_floor, why_none = _join(sources, split, ask, floor)
    views = [view_model(model, dataset, bases, bins, split=split, device=device) for model in models]
    page = render_page(
        "report.html",
        title=_title(models, dataset),
        split=split,
        command=command,
        why_no_interval=why_none,
        dataset=dataset_tables(dataset),
        region=_region_in_words(bins, split, is_chosen=region is None),
        regions=region_figures(views, _best(models), dataset, bins, tracks=tracks),
        distances=distance_figures(views),
        densities=density_figures(views),
        differences=_differences(models, sources.comparison, split),
        runs=describe_runs(models),
        **_accuracy(models, judged_floor),
    )
    with whole_file(out) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return Path(out)


def _interval(region: str | Interval | None) -> Interval | None:
    return parse_region(region) if isinstance(region, str) else region


def _shared_store(runs: Sequence[Path], store: str | Path | None) -> Store:
    """Open the dataset that all runs were trained on; RunError where there is no such one."""
    cards = [read_card(run) for run in runs]
    for run, card in zip(runs[1:], cards[1:], strict=True):
        if any(card["store"].get(name) != cards[0]["store"].get(name) for name in ("fingerprint", "roles")):
            raise RunError(
                run,
                f"trained on another dataset ({card['store']['path']}) than {runs[0]} ({cards[0]['store']['path']})",
                "runs of one dataset",
                "write one report for each dataset",
            )
    return open_store_of(runs[0], store)


def _join(
    sources: Sources, split: str, ask: Callable[[Path], Judgement], floor: Judgement
) -> tuple[list[ModelRecord], Judged, str]:
    """Return the models, judged, the floor, both with their intervals, and why there are none where there are none."""
    if sources.comparison is None:
        intervals = Intervals({}, "they take a comparison (regact compare)")
    else:
        intervals = read_intervals(sources.comparison, split)
    models = []
    for label, runs in sources.by_label.items():
        records = tuple(read_run(run) for run in runs)  # before judging: a run that cannot be shown is told at once
        judgements = tuple(ask(run) for run in runs)
        models.append(ModelRecord(label, judgements, intervals.by_model.get(label, {}), runs=records))
    judged_floor = Judged(BASELINE, (floor,), intervals.by_model.get(BASELINE, {}), is_floor=True)
    return models, judged_floor, intervals.why_none


def _title(models: Sequence[ModelRecord], store: Store) -> str:
    if len(models) <= MOST_IN_TITLE:
        return ", ".join(model.label for model in models)
    return f"{experiment_of(models) or store.path.stem}: {len(models)} models"


def _best(models: Sequence[ModelRecord]) -> str:
    """Return the model with the highest Pearson correlation; where none has one, the first."""
    scores = {model.label: model.score("pearson").value for model in models}
    return max(scores, key=lambda label: -math.inf if math.isnan(scores[label]) else scores[label])


def _accuracy(models: Sequence[ModelRecord], floor: Judged) -> dict[str, Any]:
    """Return what the page shows of accuracy, cost and training."""
    judgement = models[0].judgements[0]
    accuracy = judgement.accuracy
    return {
        "n_models": len(models),
        "n_windows": accuracy.n_windows,
        "n_bins": accuracy.n_bins,
        "n_runs": sum(len(model.runs) for model in models),
        "without_variance": accuracy.without_variance,
        "summary": accuracy_table(models, floor),
        "costs": cost_table(models),
        "assays": assay_table(models, floor),
        "accuracy": figures.accuracy_figure(models, floor),
        "violins": figures.violin_figure(models),
        "distal": judgement.distal,
        "distal_figure": figures.distal_figure(models, floor),
        "cost": figures.cost_figure(models, measure="pearson", quantity="Pearson correlation ρ"),
        "learning": figures.learning_figures(models),
    }


def _differences(models: Sequence[ModelRecord], comparison: Path | None, split: str) -> list[FigureBlock]:
    if comparison is None:
        return []
    labels = tuple(model.label for model in models)
    found = ((name, read_differences(comparison, split, measure, labels)) for measure, name in _COMPARED.items())
    return [figures.difference_figure(one, quantity=name, split=split) for name, one in found if one is not None]


def _region_in_words(bins: RegionBins, split: str, *, is_chosen: bool) -> str:
    if is_chosen:
        return (
            f"{bins.region}, of up to {WINDOWS_LOOKED_AT} windows spread over the {split} split the one where the "
            "signal of most tracks rises and falls most; predictions had no part in the choice."
        )
    seen = "" if bins.covered == 1 else f"; windows cover {bins.covered:.0%} of it"
    return f"{bins.region}, as asked for, in windows of the {' and '.join(bins.splits)} split{seen}."
