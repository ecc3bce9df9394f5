"""The audit of a dataset: what its tracks hold, what is masked, and whether its splits are independent.

Reads every window once and keeps sums and histograms only, so that its memory does not grow with the number of windows.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Int64

from regact.dataset.config import SPLITS
from regact.dataset.findings import AuditLimits, Finding, bin_place, find_problems
from regact.dataset.leakage import kmer_similarity, shared_bases, split_regions
from regact.dataset.store import Store
from regact.dataset.value_counts import TrackValues, count_values
from regact.engine import available_cores, run_tasks, whole_file
from regact.genome import Genome, Interval, Regions

_WINDOWS_PER_TASK = 128
_WINDOWS_WORTH_WORKERS = 512  # below that, starting processes takes longer than the work


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes:
        store: The dataset.
        values: For each split that has windows, what its tracks hold.
        splits: One row per split: split, windows, bp (read by at least one window), bins, masked (share of bins),
            silent_windows (no track has signal), judged_twice_bp (bases in the targets of more than one window).
        tracks: One row per track and split: identifier, assay, split, mean, sd, nonzero (share of bins), q50_nonzero,
            q999_nonzero (quantiles of values that are not 0), max, max_at (region string of the bin), clipped (share).
        windows: One row per window: row, chrom, start, end, split, masked (share of bins), and for validation and test
            what `leakage.kmer_similarity` gives.
        shared: Bases shared by splits, see `leakage.shared_bases`.
        findings: What to look at.
    """

    store: Store
    values: dict[str, TrackValues]
    splits: pd.DataFrame
    tracks: pd.DataFrame
    windows: pd.DataFrame
    shared: pd.DataFrame
    findings: tuple[Finding, ...]

    def findings_table(self) -> pd.DataFrame:
        """One row per finding: severity (error or warning), kind, split, where, found, advice."""
        rows = [
            ("error" if one.must_be_mended else "warning", one.kind, one.split, one.where, one.found, one.advice)
            for one in self.findings
        ]
        return pd.DataFrame(rows, columns=["severity", "kind", "split", "where", "found", "advice"])

    def to_table(self, folder: str | Path) -> None:
        """Write findings.tsv, splits.tsv, tracks.tsv, windows.tsv and shared.tsv into `folder`, made where missing."""
        tables = {
            "findings": self.findings_table(),
            "splits": self.splits,
            "tracks": self.tracks,
            "windows": self.windows,
            "shared": self.shared,
        }
        Path(folder).mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            with whole_file(Path(folder) / f"{name}.tsv") as temporary:
                table.to_csv(temporary, sep="\t", index=False, float_format="%.6g")


def audit_dataset(
    store: Store, genome: Genome, *, limits: AuditLimits | None = None, workers: int | None = None
) -> Audit:
    """Audit a dataset.

    Args:
        store: The dataset.
        genome: The genome it was built from (`store.open_genome()`).
        limits: From where on a number is a finding.
        workers: Processes; as many as there are cores where None.

    Raises:
        StoreError: A window cannot be decoded.
        TaskError: A worker process failed otherwise.
    """
    wanted = available_cores() if workers is None else workers
    workers = wanted if store.n_windows >= _WINDOWS_WORTH_WORKERS else 1
    present = [split for split in SPLITS if (store.windows["split"] == split).any()]
    rows = {split: store.rows(split) for split in present}
    values = {split: _count_split(store, split, rows[split], workers) for split in present}
    masked = 1 - store.read_mask(np.arange(store.n_windows)).mean(axis=1)
    splits = pd.DataFrame([_describe_split(store, split, rows[split], masked, values[split]) for split in present])
    shared, similarity = shared_bases(store), kmer_similarity(store, genome, workers=workers)
    windows = store.windows[["chrom", "start", "end", "split"]].assign(masked=masked).rename_axis("row").reset_index()
    return Audit(
        store=store,
        values=values,
        splits=splits,
        tracks=pd.concat([_describe_tracks(store, split, one) for split, one in values.items()], ignore_index=True),
        windows=windows.merge(similarity.drop(columns=["chrom", "start", "end", "split"]), on="row", how="left"),
        shared=shared,
        findings=find_problems(store, values, splits, shared, similarity, limits or AuditLimits()),
    )


def _count_split(store: Store, split: str, rows: Int64[np.ndarray, " row"], workers: int) -> TrackValues:
    tasks = [rows[first : first + _WINDOWS_PER_TASK] for first in range(0, len(rows), _WINDOWS_PER_TASK)]
    done = run_tasks(
        partial(count_values, store),
        tasks,
        workers=workers,
        label=f"values of {split}",
        describe=lambda task: f"windows {task[0]} to {task[-1]} of {store.path}",
    )
    _, total = next(done)
    for _, part in done:
        total = total.merge(part)
    return total


def _describe_split(
    store: Store, split: str, rows: Int64[np.ndarray, " row"], masked: np.ndarray, values: TrackValues
) -> dict[str, object]:
    return {
        "split": split,
        "windows": len(rows),
        "bp": split_regions(store, split).total_bp,
        "bins": len(rows) * store.n_bins,
        "masked": float(masked[rows].mean()),
        "silent_windows": values.silent_windows,
        "judged_twice_bp": _judged_twice_bp(store, rows),
    }


def _judged_twice_bp(store: Store, rows: Int64[np.ndarray, " row"]) -> int:
    windows, crop_bp = store.windows.iloc[rows], store.crop_bins * store.bin_bp
    targets = [
        Interval(chrom, start + crop_bp, end - crop_bp)
        for chrom, start, end in zip(windows["chrom"], windows["start"], windows["end"], strict=True)
    ]
    return sum(target.length for target in targets) - Regions.from_intervals(targets).total_bp


def _describe_tracks(store: Store, split: str, values: TrackValues) -> pd.DataFrame:
    n = values.n_bins - values.non_finite
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.maximum(values.squares / n - values.mean**2, 0)
        shares = {name: getattr(values, name) / values.n_bins for name in ("nonzero", "clipped")}
    places = [
        bin_place(store, row, target_bin) if row >= 0 else ""
        for row, target_bin in zip(values.max_row.tolist(), values.max_bin.tolist(), strict=True)
    ]
    columns = {
        "identifier": store.sheet.identifiers,
        "assay": store.sheet.assays,
        "split": split,
        "mean": values.mean,
        "sd": np.sqrt(variance),
        "nonzero": shares["nonzero"],
        "q50_nonzero": values.quantile(0.5, nonzero=True),
        "q999_nonzero": values.quantile(0.999, nonzero=True),
        "max": values.maximum,
        "max_at": places,
        "clipped": shares["clipped"],
    }
    return pd.DataFrame(columns)
