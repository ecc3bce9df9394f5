"""The mean prediction over both strands and small shifts of a window."""

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from regact.dataset import Store
from regact.genome import Genome, Interval
from regact.model import SequenceModel

SHIFTS_BP = (-1, 0, 1)


def ensemble_rate(
    model: SequenceModel, store: Store, genome: Genome, rows: Int64[Tensor, "batch"]
) -> Float[Tensor, "batch track bin"]:
    """Rates of some windows of the store, the mean over both strands and the shifts, on the model's device."""
    device = next(model.parameters()).device
    strand_pair = torch.from_numpy(store.sheet.strand_pair)
    shifted = (shifted_codes(store, genome, rows, shift).to(device) for shift in SHIFTS_BP)
    return torch.stack([mean_over_strands(model, codes, strand_pair) for codes in shifted]).mean(dim=0)


def mean_over_strands(
    model: SequenceModel, codes: UInt8[Tensor, "batch position"], strand_pair: Int64[Tensor, "track"]
) -> Float[Tensor, "batch track bin"]:
    """Mean of the rates predicted from a sequence and from its reverse complement.

    The latter are brought back by flipping the bins and exchanging strand pairs. So the mean of the reverse complement
    is the strand swap of the mean.
    """
    forward = model.one_hot(codes)
    backward = forward.flip(1, 2)  # A C G T reversed is T G C A: the complement; positions reversed
    rate = model.rate(model(backward)).flip(2).index_select(1, strand_pair.to(codes.device))
    return (model.rate(model(forward)) + rate) / 2


def shifted_codes(
    store: Store, genome: Genome, rows: Int64[Tensor, "batch"], shift_bp: int
) -> UInt8[Tensor, "batch position"]:
    """The sequence of some windows of the store, read `shift_bp` to the right, with real flanking bases."""
    windows = store.windows.iloc[rows.numpy()]
    starts = windows["start"] + shift_bp
    ends = windows["end"] + shift_bp
    places = zip(windows["chrom"], starts, ends, strict=True)
    codes = [genome.fetch(Interval(str(chrom), int(start), int(end))) for chrom, start, end in places]
    return torch.from_numpy(np.stack(codes))
