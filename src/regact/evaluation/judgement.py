"""All that is said of a predictor on one split, remembered beside it so that nothing is predicted twice.

A run's judgement lies in its folder as `judged_SPLIT.json`, with what it holds for: the weights, the dataset and the
version of regact. Where one of them is another, it is made anew. Beside it, as `judged_SPLIT.npz`, lie the sums of each
window, from which intervals are computed (`evidence.py`).
"""

import importlib.metadata
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from regact.dataset import Store
from regact.dataset.augment import Example
from regact.dataset.batch import Batch
from regact.engine import progress, write_json
from regact.errors import RunError
from regact.evaluation.accuracy import MEASURES, Accuracy, evaluate, open_store_of
from regact.evaluation.baselines import KmerRidge, evaluate_kmer_ridge, fit_kmer_ridge, predict_kmer_ridge
from regact.evaluation.blocks import Blocks, divide_into_blocks
from regact.evaluation.code_digest import code_digest
from regact.evaluation.distal_accuracy import (
    DistalAccuracy,
    RatesOf,
    distal_accuracy_of,
    distal_pairs,
    predict_pairs,
    simulation_of,
)
from regact.evaluation.distal_bootstrap import DistalEvidence
from regact.evaluation.ensemble import ensemble_rate, shifted_codes
from regact.evaluation.evidence import Evidence, holds_for, write_evidence
from regact.evaluation.window_sums import WindowSumsCollector
from regact.genome import Genome
from regact.model import load_model, predict_codes, weights_checksum
from regact.model.memory import in_parts
from regact.model.prediction import inference
from regact.simulation import load_truth
from regact.training import choose_device
from regact.training.validate import Observe

_Made = tuple[Accuracy, DistalAccuracy | None, Evidence]


@dataclass(frozen=True)
class Judgement:
    """Accuracy on a split, distal accuracy where the data is simulated, and the file that holds what both rest on."""

    accuracy: Accuracy
    distal: DistalAccuracy | None
    evidence: Path


def judge(
    run: str | Path,
    *,
    split: str,
    store: Store,
    genome: Genome,
    device: str = "auto",
    batch_size: int = 8,
    workers: int | None = None,
    ensemble: bool = False,
    again: bool = False,
    observe: Observe | None = None,
) -> Judgement:
    """Everything about the best weights of a run on one split; remembered in the run folder.

    Args:
        again: Predict anew, whatever is remembered.
        observe: Called with each batch and its rates, where they are predicted.

    Others and errors are those of `evaluate`.
    """
    run = Path(run)
    store = open_store_of(run, store)

    def make() -> _Made:
        blocks = divide_into_blocks(store, split)
        collector = WindowSumsCollector(blocks, store.n_tracks)

        def collect(batch: Batch, example: Example, rate: Float[Tensor, "batch track bin"]) -> None:
            collector.add_rates(batch.rows, rate, example.targets, example.mask)
            if observe is not None:
                observe(batch, example, rate)

        accuracy = evaluate(
            run,
            split=split,
            store=store,
            genome=genome,
            device=device,
            batch_size=batch_size,
            workers=workers,
            ensemble=ensemble,
            observe=collect,
        )
        rates_of = _rates_of_run(run, store, genome, device=device, batch_size=batch_size, ensemble=ensemble)
        distal, pairs = _distal(rates_of, store, genome, blocks)
        return accuracy, distal, Evidence(collector.sums, pairs)

    path = run / f"judged_{split}{'_ensemble' if ensemble else ''}.json"
    return _remembered(path, made_from_run(run, store), make, again=again)


def judge_baseline(store: Store, genome: Genome, *, splits: Sequence[str], folder: Path) -> list[Judgement]:
    """Everything about the ridge regression on 4-mers (`baselines.py`) on some splits; remembered in `folder`.

    It is fitted once, and only where something is not remembered.
    """
    fitted = cache(lambda: fit_kmer_ridge(store, genome))

    def judge_on(split: str) -> _Made:
        blocks = divide_into_blocks(store, split)
        collector = WindowSumsCollector(blocks, store.n_tracks)
        accuracy = evaluate_kmer_ridge(fitted(), store, genome, split=split, observe=collector.add)
        distal, pairs = _distal(_rates_of_ridge(fitted(), store, genome), store, genome, blocks)
        return accuracy, distal, Evidence(collector.sums, pairs)

    return [
        _remembered(folder / f"baseline_{split}.json", made_from_store(store), partial(judge_on, split), again=False)
        for split in splits
    ]


def _distal(
    rates_of: RatesOf, store: Store, genome: Genome, blocks: Blocks
) -> tuple[DistalAccuracy | None, DistalEvidence | None]:
    simulation = simulation_of(genome)
    if simulation is None:
        return None, None
    pairs = distal_pairs(simulation, store, blocks.split)
    predicted = predict_pairs(pairs, rates_of)
    reach_bp = load_truth(simulation).config.reach
    found = distal_accuracy_of(pairs, predicted, split=blocks.split, reach_bp=reach_bp)
    return found, DistalEvidence.of(pairs, predicted, blocks)


def _rates_of_run(run: Path, store: Store, genome: Genome, *, device: str, batch_size: int, ensemble: bool) -> RatesOf:
    def rates_of(rows: Int64[np.ndarray, "row"]) -> Float[np.ndarray, "row track bin"]:
        model = load_model(run, device=choose_device(device))
        rates = np.empty((len(rows), model.spec.tracks, model.spec.bins), np.float32)

        def predict(first: int, last: int) -> None:
            part = torch.from_numpy(rows[first:last])
            if ensemble:
                rates[first:last] = ensemble_rate(model, store, genome, part).cpu()
            else:
                rates[first:last] = predict_codes(model, shifted_codes(store, genome, part, 0), batch_size=batch_size)
            bar.advance(len(part))

        with progress("distal accuracy", len(rows), unit="windows") as bar, inference(model):
            in_parts(predict, len(rows), next(model.parameters()).device, what="distal accuracy", most=batch_size)
        return rates

    return rates_of


def _rates_of_ridge(ridge: KmerRidge, store: Store, genome: Genome) -> RatesOf:
    def rates_of(rows: Int64[np.ndarray, "row"]) -> Float[np.ndarray, "row track bin"]:
        return predict_kmer_ridge(ridge, store, genome, rows)

    return rates_of


def made_from_run(run: Path, store: Store) -> dict[str, str]:
    """What predictions of a run are made from; where one of these is another, they are others."""
    return made_from_store(store) | {"weights": _weights_checksum(run)}


def made_from_store(store: Store) -> dict[str, str]:
    """The same of what a dataset alone decides."""
    made_from = {"store": store.fingerprint, "regact": importlib.metadata.version("regact"), "code": code_digest()}
    # The fingerprint is of the store as it was built; `Store.with_roles` gives its splits other folds.
    return made_from | ({} if store.roles == store.header.roles else {"roles": json.dumps(store.roles, sort_keys=True)})


def _weights_checksum(run: Path) -> str:
    """The checksum of the weights; empty where there are none, which whoever reads them next will say in full."""
    try:
        return weights_checksum(run)
    except RunError:
        return ""


def _remembered(path: Path, made_from: dict[str, str], make: Callable[[], _Made], *, again: bool) -> Judgement:
    if not again and (found := _read(path, made_from)):
        return found
    accuracy, distal, evidence = make()
    write_evidence(_evidence_of(path), evidence, made_from)
    tracks = accuracy.tracks.astype(object).where(accuracy.tracks.notna(), None)
    content = {
        "made_from": made_from,
        "accuracy": _without_nan(vars(accuracy)) | {"tracks": tracks.to_dict("records")},
        "distal": None if distal is None else _without_nan(asdict(distal)),
    }
    write_json(path, content)
    return Judgement(accuracy, distal, _evidence_of(path))


def _evidence_of(path: Path) -> Path:
    return path.with_suffix(".npz")


def _read(path: Path, made_from: dict[str, str]) -> Judgement | None:
    """What is remembered at `path`, None where that is nothing, of something else, or of another form."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["made_from"] != made_from or not holds_for(_evidence_of(path), made_from):
            return None
        accuracy, distal = _with_nan(content["accuracy"]), content["distal"]
        tracks = pd.DataFrame(accuracy.pop("tracks")).astype(dict.fromkeys(MEASURES, float))
        found = None if distal is None else DistalAccuracy(**_with_nan(distal))
        return Judgement(Accuracy(**accuracy, tracks=tracks), found, _evidence_of(path))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _without_nan(values: dict[str, Any]) -> dict[str, Any]:
    """JSON knows neither NaN nor inf, which the loss may be."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in values.items()
    }


def _with_nan(values: dict[str, Any]) -> dict[str, Any]:
    return {name: math.nan if value is None else value for name, value in values.items()}
