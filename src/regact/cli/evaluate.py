"""`regact evaluate`: how good a run is on one split."""

from pathlib import Path
from typing import Annotated

import typer

from regact.cli.options import Device, Genome, Split, SplitName, Store, Workers
from regact.cli.output import print_line, print_remark, print_table
from regact.evaluate import MEASURES, Accuracy, evaluate, evaluate_kmer_ridge, fit_kmer_ridge, open_store_of


def command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder, as `regact train` writes it.")],
    split: Split = SplitName.valid,
    store: Store = None,
    genome: Genome = None,
    ensemble: Annotated[
        bool, typer.Option("--ensemble", help="Predict the mean over both strands and shifts of -1, 0 and 1 bp.")
    ] = False,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Judge a ridge regression on 4-mers too: the floor for any model.")
    ] = False,
    device: Device = "auto",
    workers: Workers = None,
) -> None:
    """Judge the best weights of a run on one split of its dataset.

    Prints the mean and each assay; every track stands in RUN/metrics_SPLIT.tsv (with --ensemble in
    RUN/metrics_SPLIT_ensemble.tsv, that of the baseline in RUN/metrics_SPLIT_ridge.tsv). Pearson and r2 are over all
    unmasked bins of all windows of the split.

    [bold]Examples[/bold]

      regact evaluate runs/yeast --split test

      regact evaluate runs/yeast --split test --ensemble

      regact evaluate runs/yeast --split test --baseline
    """
    dataset = open_store_of(run, store)
    opened = dataset.open_genome(genome)
    accuracy = evaluate(
        run, split=split.value, store=dataset, genome=opened, device=device, workers=workers or 0, ensemble=ensemble
    )
    suffix = "_ensemble" if ensemble else ""
    _print_accuracy(accuracy, run / f"metrics_{split.value}{suffix}.tsv")
    if baseline:
        floor = evaluate_kmer_ridge(fit_kmer_ridge(dataset, opened), dataset, opened, split=split.value)
        _print_accuracy(floor, run / f"metrics_{split.value}_ridge.tsv")


def _print_accuracy(accuracy: Accuracy, table: Path) -> None:
    rows = [tuple(row) for row in accuracy.assays.itertuples(index=False)]
    judged = len(accuracy.tracks) - len(accuracy.without_variance)
    rows.append(("all", judged, *(accuracy.means[measure] for measure in MEASURES)))
    print_remark(
        f"{accuracy.predictor}, split {accuracy.split}: {accuracy.n_windows:,} windows, {accuracy.n_bins:,} bins"
    )
    print_table(("assay", "tracks", *MEASURES), rows)
    if accuracy.without_variance:
        print_remark(f"without variance in this split, left out: {', '.join(accuracy.without_variance)}")
    print_line(str(accuracy.to_table(table)))
