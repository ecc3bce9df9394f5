"""What turns a loaded batch into a training example, on the training device: flips, strand swap and casts.

The workers decode and nothing else, since one window's targets are 8.7 MB at 4,229 tracks; a GPU does this in passing.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor

from regact.dataset.batch import Batch
from regact.shapes import check_shape


class Example(NamedTuple):
    """What a training step or a prediction takes."""

    codes: UInt8[Tensor, "batch position"]
    targets: Float[Tensor, "batch track bin"]  # float32
    mask: Bool[Tensor, "batch bin"]  # True = counts


def to_device(batch: Batch, device: torch.device | str, strand_pair: Int64[Tensor, " track"]) -> Example:
    """The batch on `device` as `(batch, track, bin)` float32, windows marked `reverse` read from the other strand.

    Reading the other strand reverse-complements the codes, flips the bins of targets and mask, and gives each track the
    values of its strand pair. `strand_pair` holds each track's partner (itself where the track has no strand).

    For a GPU the copies pass through pinned memory and run beside its work: nothing here waits for the device.

    Raises:
        ShapeError: `strand_pair` has another length than the batch has tracks.
    """
    check_shape(strand_pair, "track", name="strand_pair", track=batch.targets.shape[2])
    device = torch.device(device)
    codes = _send(batch.codes, device)
    targets = _send(batch.targets, device)  # float16: half the bytes to move
    mask = _send(batch.mask, device)
    if batch.reverse.any():  # known on the host: no device has to be waited for
        reverse, pairs = _send(batch.reverse, device), _send(strand_pair, device)
        codes = _where_window(reverse, reverse_complement_codes(codes), codes)
        targets = _where_window(reverse, targets.flip(1).index_select(2, pairs), targets)
        mask = _where_window(reverse, mask.flip(1), mask)
    return Example(codes, targets.transpose(1, 2).to(torch.float32, memory_format=torch.contiguous_format), mask)


def reverse_complement_codes(codes: UInt8[Tensor, "batch position"]) -> UInt8[Tensor, "batch position"]:
    """The other strand's codes: reversed, A and T exchanged, C and G exchanged, N left as it is."""
    flipped = codes.flip(1)
    return torch.where(flipped < 4, 3 - flipped, flipped)


def _send(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on `device`.

    torch's own pinned memory is not used again before the copy is done, so the batch's may be as soon as it is let go.
    """
    if device.type != "cuda" or tensor.is_cuda:
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def _where_window(choose: Bool[Tensor, " batch"], yes: Tensor, no: Tensor) -> Tensor:
    """Window by window `yes` where `choose` says so, else `no`."""
    return torch.where(choose.view(-1, *[1] * (no.ndim - 1)), yes, no)
