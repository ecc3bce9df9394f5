"""`regact evaluate`: how good a run is on one split."""

from pathlib import Path
from typing import Annotated

import typer

from regact.cli.options import Device, Genome, Split, SplitName, Store, Workers
from regact.cli.output import print_line, print_remark, print_table
from regact.evaluation import MEASURES, Judgement, judge, judge_baseline, open_store_of


def command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder, as `regact train` writes it.")],
    split: Split = SplitName.valid,
    store: Store = None,
    genome: Genome = None,
    ensemble: Annotated[
        bool, typer.Option("--ensemble", help="Predict the mean over both strands and shifts of -1, 0 and 1 bp.")
    ] = False,
    baseline: Annotated[
        bool,
        typer.Option("--baseline/--no-baseline", help="Judge a ridge regression on 4-mers too, the floor."),
    ] = True,
    device: Device = "auto",
    workers: Workers = None,
) -> None:
    """Judge the best weights of a run on one split of its dataset.

    Prints the mean and each assay, beside those of a ridge regression on 4-mers; every track stands in
    RUN/metrics_SPLIT.tsv (with --ensemble in RUN/metrics_SPLIT_ensemble.tsv, that of the regression in
    RUN/metrics_SPLIT_ridge.tsv). Pearson and r2 are over all unmasked bins of all windows of the split. On simulated
    data distal accuracy is printed too. docs/evaluation.md defines every number.

    [bold]Examples[/bold]

      regact evaluate runs/yeast --split test

      regact evaluate runs/yeast --split test --ensemble

      regact evaluate runs/yeast --split valid --no-baseline
    """
    dataset = open_store_of(run, store)
    opened = dataset.open_genome(genome)
    judgement = judge(
        run,
        split=split.value,
        store=dataset,
        genome=opened,
        device=device,
        workers=workers or 0,
        ensemble=ensemble,
        again=True,
    )
    suffix = "_ensemble" if ensemble else ""
    _print_judgement(judgement, run / f"metrics_{split.value}{suffix}.tsv")
    if baseline:
        floor = judge_baseline(dataset, opened, splits=[split.value], folder=run)[0]
        _print_judgement(floor, run / f"metrics_{split.value}_ridge.tsv")


def _print_judgement(judgement: Judgement, table: Path) -> None:
    accuracy = judgement.accuracy
    rows = [tuple(row) for row in accuracy.assays.itertuples(index=False)]
    judged = len(accuracy.tracks) - len(accuracy.without_variance)
    rows.append(("all", judged, *(accuracy.means[measure] for measure in MEASURES)))
    print_remark(
        f"{accuracy.predictor}, split {accuracy.split}: {accuracy.n_windows:,} windows, {accuracy.n_bins:,} bins"
    )
    print_table(("assay", "tracks", *MEASURES), rows)
    if accuracy.without_variance:
        print_remark(f"without variance in this split, left out: {', '.join(accuracy.without_variance)}")
    if judgement.distal is not None:
        print_line(str(judgement.distal))
    print_line(str(accuracy.to_table(table)))
