"""Accuracy at the starts of genes: which genes a signal is strong at, and which signals a gene is strong in."""

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from jaxtyping import Float, Float64, Int64

from regact.evaluation.gene_places import GenePlaces, SignalOfGenes, find_gene_places, signals_of_genes
from regact.evaluation.measure_result import MeasureResult, correlation, name_missing
from regact.evaluation.split_predictions import SplitPredictions
from regact.genome import Gene

LEAST_SIGNALS = 3  # of an assay: two points always lie on a line
VARIABLE_SHARE = 0.2  # of the genes, those whose measured values differ most between signals

Pair = tuple[Float64[np.ndarray, "signal gene"], Float64[np.ndarray, "signal gene"]]


def measure_genes(predictions: SplitPredictions, genes: Sequence[Gene], *, workers: int | None = None) -> MeasureResult:
    """Pearson across genes for every signal, and across the signals of an assay for every gene.

    Raises: ConfigError where the strands of a strand pair are not told.
    """
    signals = signals_of_genes(predictions.store.sheet)
    places = find_gene_places(predictions, genes)
    values = _values(predictions, places, signals, workers)
    per_signal = _signal_table(predictions, signals, places, values)
    per_gene = _gene_table(predictions.split, signals, places, values)
    tables = {"gene_tracks": per_signal, "genes": per_gene}
    return MeasureResult(
        "genes", tables, _summary(per_signal, per_gene), _remarks(predictions, places, per_signal, per_gene)
    )


def value_at_genes(
    predicted: Float[np.ndarray, "bin"], measured: Float[np.ndarray, "bin"], *, columns: Int64[np.ndarray, "gene bin"]
) -> tuple[Float64[np.ndarray, "gene"], Float64[np.ndarray, "gene"]]:
    """log(1 + sum of the bins around the start) of every gene, predicted and measured."""
    predicted_sum, measured_sum = (values[columns].sum(axis=1, dtype=np.float64) for values in (predicted, measured))
    return np.log1p(predicted_sum), np.log1p(measured_sum)


def across_signals(
    predicted: Float64[np.ndarray, "signal gene"], measured: Float64[np.ndarray, "signal gene"]
) -> pd.DataFrame:
    """Of each gene: the variance of its measured values over the signals, and Pearson of predicted and measured ones.

    Each signal's mean over the genes is taken away first, so that depth of sequencing is no pattern.
    """
    predicted, measured = (values - values.mean(axis=1, keepdims=True) for values in (predicted, measured))
    found = correlation(np.ascontiguousarray(predicted.T), np.ascontiguousarray(measured.T))
    return pd.DataFrame({"measured_variance": measured.var(axis=0), "pearson": found})


def _values(
    predictions: SplitPredictions, places: GenePlaces, signals: Sequence[SignalOfGenes], workers: int | None
) -> Pair:
    """Predicted and measured value of every gene in every signal, on the gene's strand."""
    function = partial(value_at_genes, columns=places.columns)
    of_track = np.array(predictions.per_track(function, label="genes", workers=workers))  # (track, 2, gene)
    is_plus = np.array([gene.strand == "+" for gene in places.genes], dtype=bool)
    plus, minus = ([getattr(signal, strand) for signal in signals] for strand in ("plus", "minus"))
    values = np.where(is_plus, of_track[plus], of_track[minus])
    return values[:, 0], values[:, 1]


def _signal_table(
    predictions: SplitPredictions, signals: Sequence[SignalOfGenes], places: GenePlaces, values: Pair
) -> pd.DataFrame:
    names = predictions.store.sheet.identifiers
    return pd.DataFrame({
        "split": predictions.split,
        "identifier": [names[signal.plus] for signal in signals],
        "other_strand": [names[signal.minus] if signal.minus != signal.plus else "" for signal in signals],
        "assay": [signal.assay for signal in signals],
        "genes": len(places.genes),
        "pearson_genes": correlation(*values),
    })  # fmt: skip


def _gene_table(split: str, signals: Sequence[SignalOfGenes], places: GenePlaces, values: Pair) -> pd.DataFrame:
    """One row a gene and assay that has signals enough; signals that do not vary over genes are no part of it."""
    about = pd.DataFrame({
        "split": split,
        "gene": [gene.identifier for gene in places.genes],
        "name": [gene.name for gene in places.genes],
        "chrom": [gene.interval.chrom for gene in places.genes],
        "tss": [gene.tss for gene in places.genes],
        "strand": [gene.strand for gene in places.genes],
    })  # fmt: skip
    parts = [about.iloc[:0].assign(assay="", signals=0, measured_variance=0.0, pearson=0.0)]
    varies = np.ptp(values[1], axis=1) > 0 if len(places.genes) else np.zeros(len(signals), dtype=bool)
    for assay in dict.fromkeys(signal.assay for signal in signals):
        ours = [row for row, signal in enumerate(signals) if signal.assay == assay and varies[row]]
        if len(ours) >= LEAST_SIGNALS:
            found = across_signals(values[0][ours], values[1][ours])
            parts.append(pd.concat([about.assign(assay=assay, signals=len(ours)), found], axis=1))
    return pd.concat(parts[1:] or parts, ignore_index=True)


def _summary(per_signal: pd.DataFrame, per_gene: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for assay in (*dict.fromkeys(per_signal["assay"]), "all"):
        chosen = [table if assay == "all" else table[table["assay"] == assay] for table in (per_signal, per_gene)]
        rows.append({
            "assay": assay,
            "pearson_genes": float(chosen[0]["pearson_genes"].mean()),
            "pearson_tracks": float(chosen[1]["pearson"].mean()) if len(chosen[1]) else math.nan,
            "pearson_tracks_variable": _mean_of_most_variable(chosen[1]),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _mean_of_most_variable(per_gene: pd.DataFrame) -> float:
    """Mean over the fifth of the genes of each assay that varies most between its signals."""
    chosen = [
        part.nlargest(math.ceil(VARIABLE_SHARE * len(part)), "measured_variance", keep="first")["pearson"]
        for _, part in per_gene.groupby("assay", sort=False)
    ]
    return float(pd.concat(chosen).mean()) if chosen else math.nan


def _remarks(
    predictions: SplitPredictions, places: GenePlaces, per_signal: pd.DataFrame, per_gene: pd.DataFrame
) -> tuple[str, ...]:
    left_out = f", {places.left_out:,} left out: masked, or at the end of a window" if places.left_out else ""
    remarks = [f"genes: {len(places.genes):,} start in split {predictions.split}{left_out}"]
    remarks += name_missing(per_signal, "pearson_genes", "the same at every gene of this split")
    few = [assay for assay in dict.fromkeys(per_signal["assay"]) if assay not in set(per_gene["assay"])]
    if few:
        remarks.append(f"no accuracy across tracks, fewer than {LEAST_SIGNALS} signals that vary: {', '.join(few)}")
    return tuple(remarks)
