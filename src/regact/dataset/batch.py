"""What the loader hands over: windows as they lie in the store and genome, on the CPU."""

from dataclasses import dataclass

from jaxtyping import Bool, Float16, Int64, UInt8
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Windows of one split, read and decoded, nothing flipped yet (`augment.to_device` does that)."""

    codes: UInt8[Tensor, "batch position"]  # forward strand, shifted
    targets: Float16[Tensor, "batch bin track"]
    mask: Bool[Tensor, "batch bin"]  # True = counts
    reverse: Bool[Tensor, " batch"]  # True: to be read from the other strand
    rows: Int64[Tensor, " batch"]  # rows of the store's window table

    def __len__(self) -> int:
        return len(self.rows)
