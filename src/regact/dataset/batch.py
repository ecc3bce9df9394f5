"""What the loader hands over: windows as they lie in the store and genome, on the CPU."""

from dataclasses import dataclass
from itertools import pairwise

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

    def part(self, first: int, last: int) -> "Batch":
        """Windows `first` to `last` (left out) as a batch of their own; a view, nothing is copied."""
        chosen = slice(first, last)
        return Batch(
            self.codes[chosen], self.targets[chosen], self.mask[chosen], self.reverse[chosen], self.rows[chosen]
        )

    def parts(self, n: int) -> "list[Batch]":
        """The batch cut into `n` parts in order, whose sizes differ by one at most."""
        cuts = [len(self) * k // n for k in range(n + 1)]
        return [self.part(first, last) for first, last in pairwise(cuts)]
