"""Loss and accuracy of a model on the windows of one split, streamed."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from regact.dataset.augment import Example, to_device
from regact.dataset.batch import Batch
from regact.engine import whole_file
from regact.losses import poisson_nll_of_rate
from regact.metrics import AccuracySums, mean_over_tracks
from regact.tracks import TrackSheet

# exp overflows float32 at 88.7. An infinite rate would make its track's Pearson NaN, as if the track did not vary and
# belonged in no mean; as the largest number it is what it is, a prediction far off.
_LARGEST_RATE = torch.finfo(torch.float32).max

RateOf = Callable[[Batch, Example], Float[Tensor, "batch track bin"]]
# Sees each batch with its rates, as they are judged: for what needs more of them than the sums over a split.
Observe = Callable[[Batch, Example, Float[Tensor, "batch track bin"]], None]


@dataclass(frozen=True)
class Validation:
    """What one pass over a split found."""

    loss: float  # mean over unmasked bins and tracks
    sums: AccuracySums

    def means(self) -> dict[str, float]:
        """Each accuracy, mean over the tracks that vary."""
        return {
            "pearson": mean_over_tracks(self.sums.raw.pearson()),
            "pearson_log1p": mean_over_tracks(self.sums.log1p.pearson()),
            "r2": mean_over_tracks(self.sums.raw.r2()),
            "r2_log1p": mean_over_tracks(self.sums.log1p.r2()),
        }


def validate(
    rate_of: RateOf,
    batches: Iterable[Batch],
    *,
    strand_pair: Int64[Tensor, "track"],
    device: torch.device,
    observe: Observe | None = None,
) -> Validation:
    """Predict every batch with `rate_of` (expected counts, on `device`) and compare with what was measured."""
    sums = AccuracySums(len(strand_pair))
    loss_sum, n_bins = 0.0, 0
    for batch in batches:
        example = to_device(batch, device, strand_pair)
        rate = rate_of(batch, example).clamp(max=_LARGEST_RATE)
        unmasked = int(batch.mask.sum())
        loss_sum += float(poisson_nll_of_rate(rate, example.targets, example.mask)) * unmasked
        n_bins += unmasked
        sums.update(rate, example.targets, example.mask)
        if observe:
            observe(batch, example, rate)
    return Validation(loss_sum / n_bins if n_bins else math.nan, sums)


def accuracy_table(sums: AccuracySums, sheet: TrackSheet, split: str) -> pd.DataFrame:
    """One row a track: split, identifier, assay, description, and its accuracies (NaN where it does not vary)."""
    return pd.DataFrame(
        {
            "split": split,
            "identifier": sheet.identifiers,
            "assay": sheet.assays,
            "description": [track.description for track in sheet.tracks],
            "pearson": sums.raw.pearson().numpy(),
            "pearson_log1p": sums.log1p.pearson().numpy(),
            "r2": sums.raw.r2().numpy(),
            "r2_log1p": sums.log1p.r2().numpy(),
        }
    )


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write an accuracy table as TSV, whole or not at all."""
    with whole_file(path) as temporary:
        table.to_csv(temporary, sep="\t", index=False, float_format="%.6g", na_rep="NaN")
