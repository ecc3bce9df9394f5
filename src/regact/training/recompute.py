"""Activation checkpointing: what a layer computes inside is computed once more for the gradient instead of kept."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from regact.model import SequenceModel
from regact.model.stack.stack import StackContext


def recompute_activations(model: SequenceModel) -> None:
    """Let every tower block, every context layer and the head's block keep its input alone for the gradient.

    Numbers stay what they are: dropout draws the same masks again, and batch norm's running statistics move in the
    forward pass only. Memory falls to about that of the largest block and all inputs, time rises by a forward pass.
    """
    blocks = [*model.tower.get_submodule("blocks").children(), model.head.get_submodule("block")]
    for layer in model.context.children():
        blocks += layer.blocks if isinstance(layer, StackContext) else [layer]
    for block in blocks:
        block.forward = partial(_recomputed, block, block.forward)


def _recomputed(layer: nn.Module, forward: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    if not layer.training:
        return forward(*inputs)

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _still_statistics(layer)

    return checkpoint(forward, *inputs, use_reentrant=False, context_fn=contexts)


@contextmanager
def _still_statistics(layer: nn.Module) -> Iterator[None]:
    """Within the block the running statistics of every batch norm in `layer` move in copies that are thrown away.

    Without any, batch norm would save fewer tensors than in the forward pass, and torch refuses that.
    """
    norms = [module for module in layer.modules() if isinstance(module, _BatchNorm)]
    kept = [(norm, name, buffer) for norm in norms for name, buffer in norm.named_buffers(recurse=False)]
    for norm, name, buffer in kept:
        setattr(norm, name, buffer.clone())
    try:
        yield
    finally:
        for norm, name, buffer in kept:
            setattr(norm, name, buffer)
