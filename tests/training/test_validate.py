"""What validation makes of predictions that no number can hold."""

import math

import torch

from regact.dataset.batch import Batch
from regact.training import validate


def a_batch():
    generator = torch.Generator().manual_seed(0)
    targets = torch.rand(2, 50, 2, generator=generator)
    mask = torch.ones(2, 50, dtype=torch.bool)
    codes, reverse = torch.zeros(2, 50, dtype=torch.uint8), torch.zeros(2, dtype=torch.bool)
    return Batch(codes, targets.half(), mask, reverse, torch.arange(2))


def test_masked_bins_count_neither_in_the_loss_nor_in_the_accuracy():
    def judged(hidden_value):
        batch = a_batch()
        batch.mask[1, 10:30] = False
        batch.targets[1, 10:30] = hidden_value
        rate = torch.rand(2, 2, 50, generator=torch.Generator().manual_seed(1))
        return validate(lambda *_: rate, [batch], strand_pair=torch.tensor([0, 1]), device=torch.device("cpu"))

    plain, other = judged(0.0), judged(1000.0)
    assert plain.sums.raw.count == 80
    assert plain.loss == other.loss
    assert plain.means() == other.means()


def test_an_infinite_rate_counts_as_far_off_and_not_as_a_track_without_variance():
    batch = a_batch()

    def rate_of(batch, example):
        rate = example.targets.clone()
        rate[0, 1, 7] = math.inf
        return rate

    found = validate(rate_of, [batch], strand_pair=torch.tensor([0, 1]), device=torch.device("cpu"))
    perfect, broken = found.sums.raw.pearson().tolist()
    assert perfect > 0.999999
    assert abs(broken) < 0.3
    assert found.sums.raw.r2()[1] < -1e70
    assert math.isfinite(found.means()["pearson_log1p"])
    assert not math.isnan(found.loss)
