import torch
from torch.nn import functional

from regact.model.context import DilatedStack


def test_every_layer_reads_all_before_it():
    torch.manual_seed(0)
    stack = DilatedStack(5, 3, 4).double().eval()
    x = torch.randn(2, 5, 40, dtype=torch.float64)
    expected = x
    for i, block in enumerate(stack.blocks):
        d = 2 ** (i + 1)
        y = functional.conv1d(expected, block.conv.weight, padding=d, dilation=d)
        y = functional.relu(y / (1 + 1e-3) ** 0.5)  # batch norm as it starts: mean 0, variance 1
        expected = torch.cat([expected, y], 1)
    torch.testing.assert_close(stack(x), expected, rtol=0, atol=1e-12)


def test_dilations_double_from_two():
    assert [block.conv.dilation for block in DilatedStack(4, 2, 7).blocks] == [2, 4, 8, 16, 32, 64, 128]
