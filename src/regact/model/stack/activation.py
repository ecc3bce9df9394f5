"""Functions of single values.

Keras networks have been saved with three forms of GELU under one name, which differ by up to 0.02:

| name | formula |
| --- | --- |
| gelu_sigmoid | x sigmoid(1.702 x), Basenji2 and Enformer |
| gelu_tanh | x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), Borzoi |
| gelu_erf | x / 2 (1 + erf(x / sqrt(2))) |
"""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from regact.model.stack.layer_spec import ActivationName


def _gelu_sigmoid(x: Tensor) -> Tensor:
    return x * torch.sigmoid(1.702 * x)


_FUNCTIONS: dict[ActivationName, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "gelu_sigmoid": _gelu_sigmoid,
    "gelu_tanh": partial(functional.gelu, approximate="tanh"),
    "gelu_erf": functional.gelu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softplus": functional.softplus,
}


class Activation(nn.Module):
    """One of these functions, by its name in the spec."""

    def __init__(self, name: ActivationName) -> None:
        super().__init__()
        self.name = name

    def forward(self, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """The function of each value."""
        return _FUNCTIONS[self.name](x)

    def extra_repr(self) -> str:
        """The name, for printing the model."""
        return self.name
