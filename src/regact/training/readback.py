"""Numbers on their way from the device to the host, which nothing has to wait for."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor


class Readback:
    """A copy of a small vector on the device, to be read when the device has long gone on.

    `float(tensor)` makes the host wait until all that was given to the GPU so far is done, and the GPU then waits for
    the host. Reading this waits for what was given before the copy, and no more.
    """

    def __init__(self, values: Float[Tensor, "value"]) -> None:
        self._done: torch.cuda.Event | None = None
        if values.device.type == "cuda":
            self._host = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
            self._host.copy_(values, non_blocking=True)
            self._done = torch.cuda.Event()
            self._done.record()
        else:
            self._host = values.to("cpu", copy=True)

    def read(self) -> Float[np.ndarray, "value"]:
        """The numbers, as soon as they are there."""
        if self._done is not None:
            self._done.synchronize()
        return self._host.numpy()
