"""Dropout whose random numbers do not cost more than the convolutions."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class Dropout(nn.Module):
    """Each value is zero with probability `rate` while training, else scaled by 1 / (1 - rate)."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """`x` with values dropped; `x` itself in inference mode."""
        return functional.dropout(x, self.rate, self.training)

    def extra_repr(self) -> str:
        """The rate, for printing the model."""
        return f"{self.rate}"
