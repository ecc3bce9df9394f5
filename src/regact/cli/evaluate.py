"""`regact evaluate`: how good a run is on one split."""

from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import Annotated

import typer

from regact.cli.options import ContigAlias, Device, Genome, Readers, Split, SplitName, Store
from regact.cli.output import print_line, print_remark, print_table
from regact.evaluation import (
    MEASURES,
    Judgement,
    MeasureResult,
    judge,
    judge_baseline,
    measure,
    measure_baseline,
    open_store_of,
    parse_measures,
    write_measures,
)
from regact.genome import Gene, parse_contig_alias, read_genes
from regact.genome import Genome as Bases
from regact.training.seen_windows import warn_of_overlap


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
    measures: Annotated[
        str,
        typer.Option(
            "--measures",
            help="Further measures, with commas between: spearman, specificity, peaks, genes, calibration; or all.",
            metavar="NAME,...",
        ),
    ] = "",
    genes: Annotated[
        Path | None,
        typer.Option("--genes", help="Genes as GTF, GFF3 or BED, for the measure genes.", metavar="FILE"),
    ] = None,
    contig_alias: ContigAlias = None,
    keep_predictions: Annotated[
        bool,
        typer.Option(
            "--keep-predictions", help="Keep what --measures predicted, so that the next call predicts nothing."
        ),
    ] = False,
    device: Device = "auto",
    workers: Readers = None,
) -> None:
    """Judge the best weights of a run on one split of its dataset.

    Prints the mean and each assay, beside those of a ridge regression on 4-mers; every track stands in
    RUN/metrics_SPLIT.tsv (with --ensemble in RUN/metrics_SPLIT_ensemble.tsv, that of the regression in
    RUN/metrics_SPLIT_ridge.tsv). Pearson and r2 are over all unmasked bins of all windows of the split. On simulated
    data distal accuracy is printed too. --measures adds others, with tables of their own and a picture of calibration
    beside them, for the regression too; --genes asks for accuracy at the starts of genes. docs/evaluation.md defines
    every number.

    [bold]Examples[/bold]

      regact evaluate runs/yeast --split test

      regact evaluate runs/yeast --split test --ensemble

      regact evaluate runs/yeast --split test --measures spearman,peaks --no-baseline

      regact evaluate runs/yeast --split test --measures all --genes genes.gtf.gz --contig-alias chr
    """
    dataset = open_store_of(run, store)
    asked = [name.strip() for name in measures.split(",") if name.strip()]
    chosen = parse_measures(asked, with_genes=genes is not None)
    opened = dataset.open_genome(genome)
    suffix = f"{split.value}_ensemble" if ensemble else split.value
    annotation = _read_genes(genes, opened, contig_alias)
    results: Sequence[MeasureResult] = ()
    if chosen:
        results = measure(
            run,
            chosen,
            split=split.value,
            store=dataset,
            genome=opened,
            genes=annotation,
            device=device,
            workers=workers,
            ensemble=ensemble,
            keep_predictions=keep_predictions,
        )
    judgement = judge(
        run,
        split=split.value,
        store=dataset,
        genome=opened,
        device=device,
        workers=workers,
        ensemble=ensemble,
        again=not chosen,  # the measures' pass over the split left it behind
    )
    if warning := warn_of_overlap(run, dataset, split.value):
        print_remark(f"warning: {warning}")
    _print_judgement(judgement, run / f"metrics_{suffix}.tsv")
    if results:
        _print_measures(results, write_measures(results, run, suffix))
    if baseline:
        floor = judge_baseline(dataset, opened, splits=[split.value], folder=run)[0]
        _print_judgement(floor, run / f"metrics_{split.value}_ridge.tsv")
    if baseline and chosen:
        results = measure_baseline(
            chosen, split=split.value, store=dataset, genome=opened, folder=run, genes=annotation, workers=workers
        )
        _print_measures(results, write_measures(results, run, f"{split.value}_ridge"))


def _read_genes(path: Path | None, genome: Bases, contig_alias: str | None) -> list[Gene] | None:
    if path is None:
        return None
    return read_genes(path, genome_lengths=genome.lengths, alias=parse_contig_alias(contig_alias))


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


def _print_measures(results: Sequence[MeasureResult], paths: Sequence[Path]) -> None:
    """One row an assay with the numbers of all measures, what was left out, and where the tables are."""
    summary = reduce(lambda left, right: left.merge(right, on="assay"), (one.summary for one in results))
    print_table(tuple(summary.columns), summary.itertuples(index=False))
    for result in results:
        for remark in result.remarks:
            print_remark(remark)
    for path in paths:
        print_line(str(path))
