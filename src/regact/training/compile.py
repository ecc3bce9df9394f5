"""torch.compile: the network's own kernels, made before the first step."""

import importlib.util
import os
import shutil
from typing import Any

import torch
from torch import nn

from regact.errors import DeviceError
from regact.model import SequenceModel


def check_compiler(device: torch.device) -> None:
    """Raise DeviceError unless what torch.compile needs for `device` is installed."""
    names = [os.environ["CXX"]] if "CXX" in os.environ else ["g++", "clang++"]
    missing = [] if any(map(shutil.which, names)) else [f"a C++ compiler ({' or '.join(names)})"]
    if device.type == "cuda" and importlib.util.find_spec("triton") is None:
        missing.append("triton")
    if missing:
        raise DeviceError(
            "training.compile", f"no {' and no '.join(missing)}", "", "install what is missing, or set compile: false"
        )


def compile_network(model: SequenceModel) -> nn.Module:
    """`model` with compiled kernels; parameters are shared, and dropout draws what it draws without compilation."""
    compiled: Any = torch.compile(model, options={"fallback_random": True})  # a module, which its type does not say
    return compiled
