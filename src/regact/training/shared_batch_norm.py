"""Batch norm over the windows of all processes, so that a batch shared out trains like the same batch on one device.

torch's own SyncBatchNorm does this on GPUs only. Here the statistics of all processes are gathered and merged, and the
two sums that the gradient needs are added up over them; the rest is torch's batch norm in inference mode, given those
statistics. So it works with any backend (gloo on CPUs, NCCL on GPUs).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, distributed, nn


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch norm whose statistics while training are those of all processes' inputs together.

    In inference mode, and where there is one process, it is `nn.BatchNorm2d`. All processes have to run it alike.
    """

    def forward(self, x: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch channel height width"]:
        """The normalised `x`; running statistics are the same in all processes afterwards."""
        if not self.training or not self.shared:
            return super().forward(x)
        mean, variance, count = _statistics_of_all(x.detach())
        if self.track_running_stats:
            unbiased = variance * (count / (count - 1))  # as torch's
            buffers, momentum = dict(self.named_buffers()), self.momentum or 0.0
            buffers["running_mean"].lerp_(mean, momentum)
            buffers["running_var"].lerp_(unbiased, momentum)
            buffers["num_batches_tracked"].add_(1)
        return _Normalise.apply(x, self.weight, self.bias, mean, variance, count, self.eps)

    shared = True


def share_batch_statistics(model: nn.Module) -> None:
    """Let every batch norm of `model` work on all processes' windows; parameters, buffers and names stay."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.BatchNorm2d:
                setattr(parent, name, _shared(child))


@contextmanager
def local_statistics(model: nn.Module) -> Iterator[None]:
    """Within the block each process normalises by its own windows alone, and waits for no other."""
    norms = [module for module in model.modules() if isinstance(module, SharedBatchNorm)]
    for norm in norms:
        norm.shared = False
    try:
        yield
    finally:
        for norm in norms:
            norm.shared = True


def _shared(norm: nn.BatchNorm2d) -> SharedBatchNorm:
    shared = SharedBatchNorm(norm.num_features, eps=norm.eps, momentum=norm.momentum)
    shared._parameters, shared._buffers = norm._parameters, norm._buffers
    return shared.train(norm.training)


def _statistics_of_all(
    x: Float[Tensor, "batch channel height width"],
) -> tuple[Float[Tensor, "channel"], Float[Tensor, "channel"], Float[Tensor, ""]]:
    """Mean, biased variance and number of values per channel over all processes, in float32 or wider.

    Merged from each process's own (Chan, Golub & LeVeque), since plain sums of squares would lose digits.
    """
    if x.device.type == "cpu":
        x = x.to(torch.promote_types(x.dtype, torch.float32))  # the CPU's kernel adds bfloat16 up as such
    mean, variance = torch.batch_norm_update_stats(x, None, None, 0.0)
    count = torch.full_like(mean, x.numel() // x.shape[1])
    ours = torch.stack([count, mean, variance])
    of_all = [torch.empty_like(ours) for _ in range(distributed.get_world_size())]
    distributed.all_gather(of_all, ours)
    counts, means, variances = torch.stack(of_all, dim=1)  # (process, channel) each
    count = counts.sum(dim=0)
    mean = (counts * means).sum(dim=0) / count
    variance = (counts * (variances + (means - mean).square())).sum(dim=0) / count
    return mean, variance, count[0]


class _Normalise(torch.autograd.Function):
    """Batch norm with the given statistics, and its gradient, in which every process's values moved them.

        y = w (x - mean) / s + b,   s = sqrt(variance + eps),   n values in all processes
        dx = w / s (dy - sum(dy) / n - xhat sum(dy xhat) / n),   xhat = (x - mean) / s

    The sums run over all processes. Those over this process's values are the gradients of b and w.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, count: Tensor, eps: float
    ) -> Tensor:
        ctx.save_for_backward(x, weight, mean, variance, count)
        ctx.eps = eps
        return torch.native_batch_norm(x, weight, bias, mean, variance, False, 0.0, eps)[0]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, variance, count = ctx.saved_tensors
        direct, of_weight, of_bias = torch.ops.aten.native_batch_norm_backward(
            gradients[0], x, weight, mean, variance, None, None, False, ctx.eps, [True, True, True]
        )
        sums = torch.stack([of_weight, of_bias])
        distributed.all_reduce(sums)
        inverse = (variance + ctx.eps).rsqrt()
        # direct is w / s dy; the rest is a + b x with a and b per channel.
        slope = weight * inverse.square() * sums[0] / count
        offset = weight * inverse * sums[1] / count - slope * mean
        return direct - _per_channel(offset, x) - x * _per_channel(slope, x), of_weight, of_bias, None, None, None, None


def _per_channel(values: Float[Tensor, "channel"], like: Tensor) -> Tensor:
    return values.to(like.dtype).view(-1, 1, 1)
