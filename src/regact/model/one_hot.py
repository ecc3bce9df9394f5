"""Codes to one-hot, on the device where the codes are."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from regact.shapes import check_shape


def one_hot(
    codes: UInt8[Tensor, "batch position"], *, n_value: float = 0.0, dtype: torch.dtype = torch.float32
) -> Float[Tensor, "batch 4 position"]:
    """One-hot sequence of uint8 codes (A0 C1 G2 T3, anything else N); every channel of an N is `n_value`.

    The 2018 Basenji data gave an N 0.25 in every channel, everything since gives it zeros.
    Memory order is position before channel, the order in which the tower computes (see conv_block.py).
    Raises: ShapeError where codes are not (batch, position).
    """
    check_shape(codes, "batch position", name="codes")
    table = torch.eye(5, 4, dtype=dtype, device=codes.device)
    table[4] = n_value
    return table[codes.long().clamp_(max=4)].transpose(1, 2)
