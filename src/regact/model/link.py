"""Links: from the model's output z to the rate (expected count).

| link | rate | used by |
| --- | --- | --- |
| exp | e^z, z is the log rate | models trained here (Eq. 1 of the paper) |
| elu1 | z + 1 where z > 0, else e^z, z not below -50 | the published 2018 Basenji ("exp_linear") |
| softplus | log(1 + e^z) | Basenji2 and later |

exp does not clamp: that of a float32 above 88.7 is inf, and training reports a loss that is not finite rather than hide
it.
"""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

LinkName = Literal["exp", "elu1", "softplus"]


def apply_link(z: Float[Tensor, "*shape"], link: str) -> Float[Tensor, "*shape"]:
    """The rate that belongs to `z`, > 0. Raises: ValueError for an unknown link."""
    if link == "exp":
        return z.exp()
    if link == "elu1":
        # Not functional.elu(z) + 1, whose small rates are differences of numbers near 1.
        return torch.where(z > 0, z + 1, z.clamp(-50, 0).exp())
    if link == "softplus":
        return functional.softplus(z)
    raise ValueError(f"unknown link {link!r}; use exp, elu1 or softplus")


def inverse_link(rate: Float[Tensor, "*shape"], link: str) -> Float[Tensor, "*shape"]:
    """The z whose rate is `rate` (> 0). Raises: ValueError for an unknown link."""
    if link == "exp":
        return rate.log()
    if link == "elu1":
        return torch.where(rate > 1, rate - 1, rate.log())
    if link == "softplus":
        return rate + torch.log(-torch.expm1(-rate))
    raise ValueError(f"unknown link {link!r}; use exp, elu1 or softplus")
