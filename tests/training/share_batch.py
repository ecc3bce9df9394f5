"""Run by torchrun in several processes (test_several_devices.py): batch norm over all of them against one process."""

import copy

import torch
from torch import distributed, nn

from regact.training.shared_batch_norm import SharedBatchNorm, local_statistics, share_batch_statistics


def check(shares: list[int], dtype: torch.dtype) -> None:
    """Rank r has `shares[r]` windows; values, gradients and running statistics are those of all windows together."""
    rank = distributed.get_rank()
    torch.manual_seed(0)
    alone = nn.Sequential(nn.BatchNorm2d(5, eps=1e-3, momentum=0.1), nn.Conv2d(5, 5, 1), nn.BatchNorm2d(5)).to(dtype)
    for norm in (alone[0], alone[2]):
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    shared = copy.deepcopy(alone)
    share_batch_statistics(shared)
    assert [type(layer) for layer in shared] == [SharedBatchNorm, nn.Conv2d, SharedBatchNorm]
    assert list(shared.state_dict()) == list(alone.state_dict())
    whole = (3 * torch.randn(sum(shares), 5, 1, 7, dtype=dtype) + 40).to(memory_format=torch.channels_last)
    target = torch.randn(whole.shape, dtype=dtype)
    first = sum(shares[:rank])
    ours = slice(first, first + shares[rank])

    whole.requires_grad_()
    expected = alone(whole)
    (expected * target).square().sum().backward()
    part = whole.detach()[ours].clone().requires_grad_()
    found = shared(part)
    (found * target[ours]).square().sum().backward()

    close = {"rtol": 1e-9, "atol": 1e-9} if dtype == torch.float64 else {"rtol": 2e-3, "atol": 2e-3}
    torch.testing.assert_close(found, expected.detach()[ours], **close)
    torch.testing.assert_close(part.grad, whole.grad[ours], **close)
    for parameter, other in zip(shared.parameters(), alone.parameters(), strict=True):
        distributed.all_reduce(parameter.grad)
        torch.testing.assert_close(parameter.grad, other.grad, **close)
    for name, buffer in shared.named_buffers():
        torch.testing.assert_close(buffer, dict(alone.named_buffers())[name], **close)

    shared.eval()
    alone.eval()
    torch.testing.assert_close(shared(part), alone(part), **close)
    shared.train()
    alone.train()
    with local_statistics(shared):
        torch.testing.assert_close(shared(part), alone(part), **close)


def main() -> None:
    """Check equal and unequal shares in both precisions."""
    distributed.init_process_group("gloo")
    for shares in ([4, 4], [1, 6]):
        for dtype in (torch.float64, torch.float32):
            check(shares, dtype)
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
