"""What a measure beyond Pearson and r2 finds: tables, a number or a few per assay, and what was left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Float64

from regact.metrics import TrackSums
from regact.tracks import TrackSheet
from regact.training import write_table


@dataclass(frozen=True)
class MeasureResult:
    """What one measure found on one split.

    Attributes:
        name: The measure.
        tables: Name of a table -> the table; each has a column `split`.
        summary: One row an assay and one for `all`: the measure's numbers, means over the tracks that have one.
        remarks: Sentences: which tracks have no number, and why.
    """

    name: str
    tables: Mapping[str, pd.DataFrame]
    summary: pd.DataFrame
    remarks: tuple[str, ...] = field(default=())

    def to_tables(self, folder: str | Path, suffix: str) -> list[Path]:
        """Write every table as `folder/NAME_SUFFIX.tsv`, each whole or not at all."""
        paths = [Path(folder) / f"{name}_{suffix}.tsv" for name in self.tables]
        for path, table in zip(paths, self.tables.values(), strict=True):
            write_table(path, table)
        return paths


def track_table(sheet: TrackSheet, split: str, columns: Mapping[str, Sequence[float] | np.ndarray]) -> pd.DataFrame:
    """One row a track: split, identifier, assay, description, and `columns`."""
    descriptions = [track.description for track in sheet.tracks]
    about = {"split": split, "identifier": sheet.identifiers, "assay": sheet.assays, "description": descriptions}
    return pd.DataFrame({**about, **columns})


def summarize(tracks: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Mean of each column over the tracks of each assay, in their order, and over all; NaN is in no mean."""
    by_assay = tracks.groupby("assay", sort=False)[list(columns)].mean().reset_index()
    whole = pd.DataFrame([{"assay": "all", **tracks[list(columns)].mean()}])
    return pd.concat([by_assay, whole], ignore_index=True)


def name_missing(tracks: pd.DataFrame, column: str, why: str) -> tuple[str, ...]:
    """One sentence that names the tracks without a number in `column`; none where there are none."""
    missing = tracks.loc[tracks[column].isna(), "identifier"]
    return (f"no {column}, {why}: {', '.join(missing)}",) if len(missing) else ()


def correlation(
    predicted: Float[np.ndarray, "row value"], measured: Float[np.ndarray, "row value"]
) -> Float64[np.ndarray, "row"]:
    """Pearson of each row, as `TrackSums` has it.

    NaN where the measured values of a row are all one, 0 where only the predicted ones are.
    """
    sums = TrackSums(len(predicted))
    if predicted.shape[1]:
        sums.update(torch.from_numpy(predicted)[None], torch.from_numpy(measured)[None])
    return sums.pearson().numpy()
