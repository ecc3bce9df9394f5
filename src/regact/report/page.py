"""The report: runs on one dataset, side by side, on one HTML page that needs no other file."""

from collections.abc import Sequence
from pathlib import Path

from regact.dataset import Store, open_store
from regact.engine import whole_file
from regact.errors import RunError
from regact.evaluation import Judgement, judge, judge_baseline
from regact.evaluation.baselines import NAME as BASELINE
from regact.genome import Genome
from regact.plot import LearningCurve, plot_accuracy, plot_distance, plot_learning_curves, plot_limits, plot_tracks
from regact.report.distance import distance_curves
from regact.report.figure import FigureBlock, figure_block
from regact.report.region import view_region
from regact.report.render import render_page
from regact.report.run_record import RunRecord, read_run, run_labels
from regact.report.tables import assay_table, dataset_table, summary_table
from regact.training.run_folder import CONFIG, read_card
from regact.training.transfer import start_in_words


def write_report(
    runs: Sequence[str | Path],
    out: str | Path,
    *,
    split: str = "test",
    labels: Sequence[str] | None = None,
    baseline: str | Path | None = None,
    store: str | Path | None = None,
    genome: str | Path | None = None,
    device: str = "auto",
    workers: int = 0,
) -> Path:
    """Judge `runs` on `split` and write them side by side as one HTML page; return `out`.

    A run that was judged before, by its present weights, is not predicted again.

    Args:
        runs: Run folders, all trained on the same dataset.
        out: The page.
        split: train, valid or test.
        labels: What the runs are called; without them, by preset or folder.
        baseline: Where the ridge regression's accuracy is or will be remembered; the first run's folder without it.
        store: The dataset, where it is not where the runs found it.
        genome: FASTA of the genome, where it is not where the store found it.
        device: Where predictions are made.
        workers: Processes that read ahead.

    Raises:
        RunError: a folder is no run, has no finished epoch, or the runs are of different datasets.
        StoreError, DataError: the store or its genome cannot be opened, or the split is empty.
    """
    folders = [Path(run) for run in runs]
    dataset = _shared_store(folders, store)
    opened_genome = dataset.open_genome(genome)
    records = []
    for folder, label in zip(folders, labels or run_labels(folders), strict=True):
        judged = judge(folder, split=split, store=dataset, genome=opened_genome, device=device, workers=workers)
        records.append(read_run(folder, label, judged))
    floor = judge_baseline(dataset, opened_genome, splits=[split], folder=Path(baseline or folders[0]))[0]
    page = _render(records, floor, dataset, opened_genome, split)
    with whole_file(out) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return Path(out)


def _shared_store(runs: Sequence[Path], store: str | Path | None) -> Store:
    """Open the dataset that all runs were trained on; RunError where there is no such one."""
    if not runs:
        raise ValueError("no run given; needed at least one")
    cards = [read_card(run) for run in runs]
    for run, card in zip(runs[1:], cards[1:], strict=True):
        if card["store"]["fingerprint"] != cards[0]["store"]["fingerprint"]:
            raise RunError(
                run,
                f"trained on another dataset ({card['store']['path']}) than {runs[0]} ({cards[0]['store']['path']})",
                "runs of one dataset",
                "write one report for each dataset",
            )
    return open_store(store or cards[0]["store"]["path"])


def _render(runs: Sequence[RunRecord], floor: Judgement, store: Store, genome: Genome, split: str) -> str:
    return render_page(
        "report.html",
        split=split,
        n_windows=runs[0].accuracy.n_windows,
        n_bins=runs[0].accuracy.n_bins,
        without_variance=runs[0].accuracy.without_variance,
        summary=summary_table(runs, floor),
        distal=runs[0].judgement.distal,
        distal_figure=_distal_figure(runs, floor),
        assays=assay_table(runs, floor),
        accuracy=_accuracy_figure(runs),
        learning=_learning_figures(runs),
        distances=_distance_figures(runs),
        region=_region_figure(runs, store, genome, split),
        dataset=dataset_table(store),
        runs=[_run_facts(run) for run in runs],
    )


def _accuracy_figure(runs: Sequence[RunRecord]) -> FigureBlock:
    values = {
        run.label: {str(assay): rows["pearson"].to_numpy() for assay, rows in run.accuracy.tracks.groupby("assay")}
        for run in runs
    }
    return figure_block(
        plot_accuracy(values, quantity="Pearson correlation"),
        alt="Pearson correlation per assay and model",
        caption="Pearson correlation of counts per assay: the mean over tracks, and every track.",
    )


def _distal_figure(runs: Sequence[RunRecord], floor: Judgement) -> FigureBlock | None:
    """Distal accuracy of every model between its ceilings, where the data is simulated and has promoters enough."""
    distal = runs[0].judgement.distal
    if distal is None or not distal.is_computed:
        return None
    judgements = {run.label: run.judgement for run in runs} | {BASELINE: floor}
    values = {label: judged.distal.value for label, judged in judgements.items() if judged.distal is not None}
    limits = {"the truth": 1.0, f"the truth within {distal.reach_bp / 1000:.3g} kb": distal.within_reach}
    return figure_block(
        plot_limits(values, limits, quantity="distal accuracy"),
        alt="Distal accuracy of each model, with what can be known within R and at all",
        caption=f"Distal accuracy at {distal.n_promoters} promoters of the {distal.split} split that are driven from "
        f"beyond {distal.reach_bp:,} bp.",
    )


def _learning_figures(runs: Sequence[RunRecord]) -> list[FigureBlock]:
    def curves(valid: str, train: str | None = None) -> list[LearningCurve]:
        return [
            LearningCurve(
                run.label,
                run.log["epoch"].to_numpy(float),
                run.log[valid].to_numpy(float),
                None if train is None else run.log[train].to_numpy(float),
            )
            for run in runs
        ]

    loss = plot_learning_curves(curves("valid_loss", "train_loss"), quantity="log-Poisson loss per bin")
    pearson = plot_learning_curves(curves("valid_pearson"), quantity="validation Pearson")
    return [
        figure_block(
            loss,
            alt="Loss over epochs",
            caption="Loss: full lines validation, dashed training; a first epoch far off is left outside the frame.",
        ),
        figure_block(pearson, alt="Validation Pearson over epochs", caption="Pearson on validation, mean of tracks."),
    ]


def _distance_figures(runs: Sequence[RunRecord]) -> list[FigureBlock]:
    figures = []
    for run in runs:
        if curves := distance_curves(run.model):
            caption = f"{run.label}: how much a bin at this distance may count, for every head."
            figures.append(
                figure_block(plot_distance(curves), alt=f"Distance functions of {run.label}", caption=caption)
            )
    return figures


def _region_figure(runs: Sequence[RunRecord], store: Store, genome: Genome, split: str) -> FigureBlock:
    view = view_region(runs, store, genome, split)
    axes = plot_tracks(view.panels, chrom=view.region.chrom, start=view.region.start, bin_bp=store.bin_bp)
    caption = (
        f"{view.region}: the window of the {split} split with the most measured signal. Grey: counts as measured; "
        "lines: as predicted."
    )
    return figure_block(axes[0], alt=f"Measured and predicted signal in {view.region}", caption=caption)


def _run_facts(run: RunRecord) -> dict[str, str]:
    """Return what the page says on how a run was made."""
    code, machine = run.card["code"], run.card["machine"]
    settings = Path(run.accuracy.predictor) / CONFIG
    return {
        "label": run.label,
        "folder": run.accuracy.predictor,
        "state": run.card["state"] + (f": {run.card['ended']}" if "ended" in run.card else ""),
        "start": start_in_words(run.card),
        "command": run.card.get("command", ""),
        "made": f"regact {code['regact']}, torch {code['torch']}, Python {code['python']}; {machine['device']}, "
        f"{machine['threads']} threads",
        "settings": settings.read_text(encoding="utf-8") if settings.exists() else "",
    }
