"""Devices by name, and the error where there is none such."""

import pytest
import torch

from regact.errors import DeviceError
from regact.training import choose_device, open_fabric


def test_cpu_is_always_there_and_auto_finds_something():
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type in ("cpu", "cuda", "mps")


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "", "tpu"])
def test_an_unknown_name_is_an_error_that_lists_the_known(name):
    with pytest.raises(DeviceError, match="auto, cpu, cuda, cuda:N or mps"):
        choose_device(name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="for machines without CUDA")
def test_a_device_that_is_not_here_is_an_error():
    with pytest.raises(DeviceError, match="finds no such device here"):
        choose_device("cuda")


@pytest.mark.gpu
def test_cuda_is_chosen_first():
    assert choose_device("auto") == torch.device("cuda:0")
    assert open_fabric("cuda").device.type == "cuda"


def test_bfloat16_computes_in_bfloat16_and_returns_float32():
    layer = torch.nn.Linear(4, 4)
    wrapped = open_fabric("cpu", "bfloat16").setup(layer)
    x = torch.randn(2, 4)
    assert wrapped(x).dtype == torch.float32
    assert layer.weight.dtype == torch.float32
    assert not torch.equal(wrapped(x), layer(x))
