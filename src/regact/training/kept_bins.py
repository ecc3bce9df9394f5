"""What a frozen tower makes of each window, computed once."""

from collections.abc import Callable, Iterable

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from regact.errors import ConfigError
from regact.training.config import TrainingConfig
from regact.training.transfer import TransferConfig

Embed = Callable[[UInt8[Tensor, "batch position"]], Float[Tensor, "batch channel allbins"]]


class KeptBins:
    """The tower's bins of the windows that were seen, each strand by itself, in this process's memory.

    A frozen tower works as in inference, so a window's bins are the same at every epoch and whatever else is in the
    batch. They are computed window by window: a run that was resumed, and begins without them, finds the same bits.
    """

    def __init__(self, embed: Embed) -> None:
        self._embed = embed
        self._bins: dict[tuple[int, bool], Float[Tensor, "channel allbins"]] = {}

    def of(
        self, codes: UInt8[Tensor, "batch position"], rows: Int64[Tensor, " batch"], reverse: Iterable[bool]
    ) -> Float[Tensor, "batch channel allbins"]:
        """The bins of `codes`, which are the windows at `rows` of the store, those of `reverse` read backwards."""
        keys = list(zip(rows.tolist(), map(bool, reverse), strict=True))
        for key, window in zip(keys, codes, strict=True):
            if key not in self._bins:
                with torch.no_grad():
                    self._bins[key] = self._embed(window[None])[0].cpu()
        return torch.stack([self._bins[key] for key in keys]).to(codes.device)


def check_kept(transfer: TransferConfig, config: TrainingConfig) -> None:
    """Raise ConfigError where `transfer.keep_bins` cannot be had, since a window's bins change or are not all.

    What a U-Net reads again is folded into the bins, so any tower will do.
    """
    if not transfer.keep_bins:
        return
    problems = []
    if transfer.blocks is not None:
        problems.append("blocks: the rest of the tower learns; needed the whole tower")
    shift = config.augmentation.max_shift_bp
    if shift:
        problems.append(f"training.augmentation.max_shift_bp is {shift}, another sequence each epoch; needed 0")
    if problems:
        raise ConfigError("transfer.keep_bins", problems)
