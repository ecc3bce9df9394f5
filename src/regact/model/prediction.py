"""Codes in, expected counts out."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from regact.model.memory import in_parts
from regact.model.sequence_model import SequenceModel
from regact.shapes import check_shape


def predict_codes(
    model: SequenceModel,
    codes: UInt8[Tensor, "batch position"] | UInt8[np.ndarray, "batch position"],
    *,
    batch_size: int = 4,
) -> Float[Tensor, "batch track bin"]:
    """Expected counts per track and bin, on the CPU: the model's own link and crop applied.

    `codes` are uint8 (A0 C1 G2 T3, anything else N) and as long as the model's window. Runs in inference mode on the
    model's device, `batch_size` sequences at a time (fewer where its memory is full), and leaves the model as it was
    found.
    Raises: ShapeError where codes are not (batch, window_bp); TypeError where they are no array of whole numbers, such
    as a string; MemoryFullError where not even one fits.
    """
    _check_codes(codes, model.spec.window_bp)
    check_shape(codes, "batch position", name="codes", position=model.spec.window_bp)
    device = next(model.parameters()).device
    rates = torch.empty(len(codes), model.spec.tracks, model.spec.bins)

    def predict(first: int, last: int) -> None:
        batch = codes[first:last]
        # Copied: torch warns of arrays that it may not write, as a genome's memory map is.
        batch = torch.tensor(batch) if isinstance(batch, np.ndarray) else batch
        rates[first:last] = model.rate(model(model.one_hot(batch.to(device))))

    with inference(model):
        in_parts(predict, len(codes), device, what="prediction", most=batch_size)
    return rates


@contextmanager
def inference(model: nn.Module) -> Iterator[None]:
    """Inference mode without gradients inside the block; each part's training mode is put back afterwards."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for module in training:
            module.training = True


def _check_codes(codes: object, window_bp: int) -> None:
    """Raise TypeError where `codes` are no tensor or array of whole numbers."""
    if isinstance(codes, Tensor | np.ndarray):
        kind = str(codes.dtype).removeprefix("torch.")
        if kind.startswith(("uint", "int")):
            return
        found = f"codes are {kind} of shape {tuple(codes.shape)}"
    else:
        found = f"codes are a {type(codes).__name__}"
    raise TypeError(
        f"{found}; needed uint8 codes (batch, position={window_bp}), A0 C1 G2 T3; "
        "of a string of bases regact.genome.encode(bases)[None] makes them, of a genome genome.fetch(interval)[None]"
    )
