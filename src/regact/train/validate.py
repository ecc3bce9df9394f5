"""Loss and accuracy of a model on the windows of one split, streamed."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from regact.dataset.augment import to_device
from regact.dataset.batch import Batch
from regact.metrics import AccuracySums, mean_over_tracks
from regact.model import SequenceModel, one_hot
from regact.model.prediction import inference
from regact.tracks import TrackSheet
from regact.train.objective import poisson_loss

Forward = Callable[[Float[Tensor, "batch 4 position"]], Float[Tensor, "batch track bin"]]


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
    model: SequenceModel,
    batches: Iterable[Batch],
    *,
    strand_pair: Int64[Tensor, "track"],
    device: torch.device,
    forward: Forward | None = None,
) -> Validation:
    """Predict every batch and compare with what was measured; the model is left in the mode it was in.

    `forward` stands in for the model where something wraps it (Fabric, for its precision).
    """
    sums = AccuracySums(len(strand_pair))
    loss_sum, n_bins = 0.0, 0
    with inference(model):
        for batch in batches:
            example = to_device(batch, device, strand_pair)
            z = (forward or model)(one_hot(example.codes))
            unmasked = int(example.mask.sum())
            loss_sum += float(poisson_loss(model, z, example)) * unmasked
            n_bins += unmasked
            sums.update(model.rate(z), example.targets, example.mask)
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
