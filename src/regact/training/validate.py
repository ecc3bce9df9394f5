"""Loss and accuracy of a model on the windows of one split, streamed."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial, reduce
from pathlib import Path

import pandas as pd
import torch
from jaxtyping import Float, Int64
from lightning_fabric import Fabric
from torch import Tensor

from regact.dataset.augment import Example, to_device
from regact.dataset.batch import Batch
from regact.engine import whole_file
from regact.losses import poisson_nll_of_rate
from regact.metrics import AccuracySums, mean_over_tracks
from regact.model.memory import in_parts
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

    loss: float  # mean over unmasked bins and tracks, NaN where there are none
    sums: AccuracySums

    def merge(self, other: "Validation") -> "Validation":
        """The pass over the windows of both; the sums of this one are changed."""
        ours, theirs = self.sums.raw.count, other.sums.raw.count
        self.sums.merge(other.sums)
        if not ours or not theirs:
            return Validation(self.loss if ours else other.loss, self.sums)
        return Validation((self.loss * ours + other.loss * theirs) / (ours + theirs), self.sums)

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
    """Predict every batch with `rate_of` (expected counts, on `device`) and compare with what was measured.

    Where the device's memory is full, batches are cut into smaller ones. Raises: MemoryFullError where one window alone
    does not fit.
    """
    total = Validation(math.nan, AccuracySums(len(strand_pair)))

    def judge(batch: Batch, first: int, last: int) -> None:
        nonlocal total
        part = batch.part(first, last)
        example = to_device(part, device, strand_pair)
        rate = rate_of(part, example).clamp(max=_LARGEST_RATE)
        loss = float(poisson_nll_of_rate(rate, example.targets, example.mask))
        sums = AccuracySums(len(strand_pair))
        sums.update(rate, example.targets, example.mask)
        if observe:
            observe(part, example, rate)
        total = total.merge(Validation(loss, sums))  # last, since what came before may have filled the memory

    most = None
    for batch in batches:
        most = in_parts(partial(judge, batch), len(batch), device, what="validation", most=most or len(batch))
    return total


def merge_validations(ours: Validation, fabric: Fabric) -> Validation:
    """The passes of all processes as one, in the order of the processes: the same everywhere."""
    if fabric.world_size == 1:
        return ours
    of_all: list[Validation] = [ours] * fabric.world_size
    torch.distributed.all_gather_object(of_all, ours)
    return reduce(Validation.merge, of_all)


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
