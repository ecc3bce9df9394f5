"""`regact evaluate`: how good a run is on one split."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from regact.cli.options import Device, Genome, Store, Workers
from regact.cli.output import print_line, print_remark, print_table
from regact.dataset import open_store
from regact.evaluate import MEASURES, evaluate


class Split(StrEnum):
    """The splits of a dataset."""

    train = "train"
    valid = "valid"
    test = "test"


def command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder, as `regact train` writes it.")],
    split: Annotated[Split, typer.Option("--split", help="Which windows to judge on.")] = Split.valid,
    store: Store = None,
    genome: Genome = None,
    ensemble: Annotated[
        bool, typer.Option("--ensemble", help="Predict the mean over both strands and shifts of -1, 0 and 1 bp.")
    ] = False,
    device: Device = "auto",
    workers: Workers = None,
) -> None:
    """Judge the best weights of a run on one split of its dataset.

    Prints the mean and each assay; every track stands in RUN/metrics_SPLIT.tsv (with --ensemble,
    RUN/metrics_SPLIT_ensemble.tsv). Pearson and r2 are over all unmasked bins of all windows of the split.

    [bold]Examples[/bold]

      regact evaluate runs/yeast --split test

      regact evaluate runs/yeast --split test --ensemble
    """
    dataset = open_store(store) if store else None
    accuracy = evaluate(
        run, split=split.value, store=dataset, genome=genome, device=device, workers=workers or 0, ensemble=ensemble
    )
    name = f"metrics_{split.value}_ensemble.tsv" if ensemble else f"metrics_{split.value}.tsv"
    table = accuracy.to_table(run / name)
    rows = [tuple(row) for row in accuracy.assays.itertuples(index=False)]
    judged = len(accuracy.tracks) - len(accuracy.without_variance)
    rows.append(("all", judged, *(accuracy.means[measure] for measure in MEASURES)))
    title = f"{run}, split {split.value}: {accuracy.n_windows:,} windows, {accuracy.n_bins:,} bins"
    print_remark(title)
    print_table(("assay", "tracks", *MEASURES), rows)
    if accuracy.without_variance:
        print_remark(f"without variance in this split, left out: {', '.join(accuracy.without_variance)}")
    print_line(str(table))
