"""The measures beyond Pearson and r2, asked for by name, on one pass of predictions over a split."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from enum import StrEnum
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from regact.dataset import Store
from regact.engine import whole_file
from regact.errors import ConfigError
from regact.evaluation.accuracy import open_store_of
from regact.evaluation.baselines import NAME as BASELINE
from regact.evaluation.baselines import evaluate_kmer_ridge, fit_kmer_ridge
from regact.evaluation.calibration import calibration_by_assay, measure_calibration
from regact.evaluation.gene_accuracy import measure_genes
from regact.evaluation.judgement import judge, made_from_run, made_from_store
from regact.evaluation.measure_result import MeasureResult
from regact.evaluation.peaks import measure_peaks
from regact.evaluation.spearman import measure_spearman
from regact.evaluation.specificity import measure_specificity
from regact.evaluation.split_predictions import PredictionWriter, SplitPredictions, store_predictions
from regact.genome import Gene, Genome
from regact.plot import plot_calibration
from regact.tracks import track_strands


class Measure(StrEnum):
    """What can be asked for; docs/evaluation.md defines each."""

    spearman = "spearman"
    specificity = "specificity"
    peaks = "peaks"
    genes = "genes"
    calibration = "calibration"


_NEED_STRANDS = {Measure.specificity, Measure.genes}


def parse_measures(names: Sequence[str], *, with_genes: bool) -> list[Measure]:
    """The measures that are named, in the order of `Measure`; "all" is all of them, and an annotation asks for `genes`.

    Raises: ConfigError with every unknown name, and where `genes` is asked for without an annotation.
    """
    known = [measure.value for measure in Measure]
    wanted = set(names) | ({Measure.genes.value} if with_genes else set())
    if "all" in wanted:
        wanted = wanted - {"all"} | (set(known) if with_genes else set(known) - {Measure.genes.value})
    problems = []
    for name in sorted(wanted - set(known)):
        near = get_close_matches(name, known, n=1)
        problems.append(
            f"unknown measure {name!r}; " + (f"did you mean {near[0]}?" if near else f"needed {', '.join(known)}")
        )
    if Measure.genes in wanted and not with_genes:
        problems.append("genes: needed an annotation (GTF, GFF3 or BED); say with --genes where it is")
    if problems:
        raise ConfigError("measures", problems)
    return [measure for measure in Measure if measure in wanted]


def measure(
    run: str | Path,
    measures: Sequence[str],
    *,
    split: str,
    store: str | Path | Store | None = None,
    genome: Genome | str | Path | None = None,
    genes: Sequence[Gene] | None = None,
    device: str = "auto",
    batch_size: int = 8,
    workers: int | None = None,
    ensemble: bool = False,
    keep_predictions: bool = False,
) -> list[MeasureResult]:
    """Judge the best weights of a run on one split by further measures; what `judge` says is remembered in passing.

    Args:
        run: Run folder.
        measures: Names of `Measure`, or "all".
        split: train, valid or test.
        store, genome, device, batch_size, ensemble: As in `evaluate`.
        genes: As `read_genes` gives them; asks for the measure `genes`.
        workers: Processes that rank tracks and read ahead; without it the cores rank, and `choose_readers` says
            how many read.
        keep_predictions: Keep RUN/predictions_SPLIT, six bytes for each track and bin, so that the next measure of the
            same weights predicts nothing. Without, they lie in the run folder for the time of the work.

    Raises:
        ConfigError: An unknown measure, `genes` without genes, strand pairs whose strands are not told.
        DiskSpaceError: No room for the predictions.
        Others as `evaluate`.
    """
    run, chosen = Path(run), parse_measures(measures, with_genes=genes is not None)
    dataset = open_store_of(run, store)
    if _NEED_STRANDS & set(chosen):
        track_strands(dataset.sheet)  # raises before anything is predicted
    bases = genome if isinstance(genome, Genome) else dataset.open_genome(genome)

    made_from = made_from_run(run, dataset) | {"split": split, "ensemble": str(ensemble)}
    predict = partial(
        judge,
        run,
        split=split,
        store=dataset,
        genome=bases,
        device=device,
        batch_size=batch_size,
        workers=workers,
        ensemble=ensemble,
        again=True,
    )
    with _kept_or_not(run / f"predictions_{split}{'_ensemble' if ensemble else ''}", keep_predictions) as folder:
        predictions = store_predictions(
            folder, dataset, split, made_from=made_from, predict=lambda writer: predict(observe=writer)
        )
        return [_take(one, predictions, genes or (), workers) for one in chosen]


def measure_baseline(
    measures: Sequence[str],
    *,
    split: str,
    store: Store,
    genome: Genome,
    folder: Path,
    genes: Sequence[Gene] | None = None,
    workers: int | None = None,
) -> list[MeasureResult]:
    """The same of the ridge regression on 4-mers, the floor; its predictions lie in `folder` for the time of the work.

    Raises: as `measure`.
    """
    chosen = parse_measures(measures, with_genes=genes is not None)

    def predict(writer: PredictionWriter) -> None:
        ridge = fit_kmer_ridge(store, genome)
        evaluate_kmer_ridge(
            ridge,
            store,
            genome,
            split=split,
            observe=lambda row, mask, raw, log1p: writer.add(raw[0].numpy(), raw[1].numpy()),
        )

    made_from = made_from_store(store) | {"split": split, "baseline": BASELINE}
    with _kept_or_not(folder / f"predictions_{split}_ridge", False) as into:
        predictions = store_predictions(into, store, split, made_from=made_from, predict=predict)
        return [_take(one, predictions, genes or (), workers) for one in chosen]


def write_measures(results: Sequence[MeasureResult], folder: str | Path, suffix: str) -> list[Path]:
    """Write the tables as NAME_SUFFIX.tsv and the picture of calibration as calibration_SUFFIX.png into `folder`."""
    paths = []
    for result in results:
        paths += result.to_tables(folder, suffix)
        if result.name == Measure.calibration:
            paths.append(Path(folder) / f"calibration_{suffix}.png")
            figure = Figure(figsize=(5, 5), layout="constrained")
            plot_calibration(calibration_by_assay(result.tables["calibration_deciles"]), ax=figure.subplots())
            with whole_file(paths[-1]) as temporary:
                figure.savefig(temporary, format="png", dpi=150)
    return paths


def _take(measure: Measure, predictions: SplitPredictions, genes: Sequence[Gene], workers: int | None) -> MeasureResult:
    match measure:
        case Measure.spearman:
            return measure_spearman(predictions, workers=workers)
        case Measure.specificity:
            return measure_specificity(predictions)
        case Measure.peaks:
            return measure_peaks(predictions, workers=workers)
        case Measure.genes:
            return measure_genes(predictions, genes, workers=workers)
        case Measure.calibration:
            return measure_calibration(predictions, workers=workers)


@contextmanager
def _kept_or_not(folder: Path, keep: bool) -> Iterator[Path]:
    """Where predictions lie: in `folder` if they are to be kept or were, else in one that is removed at the end.

    The latter's name is fixed, so that what a killed process left there is used and removed by the next.
    """
    if keep or folder.exists():
        yield folder
        return
    temporary = folder.with_name(f"{folder.name}.temporary")
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
