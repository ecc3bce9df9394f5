"""A device named "far" beside the CPU's: its tensors lie on the CPU and are computed there, yet nobody may mix the two.

An operation on tensors of both, or NumPy's look into a far one, is an error as it is for a GPU's: what runs here moves
all that it must, and that shows on any machine. Run as a program, this is regact's command line with a `--device far`:

    python tests/far_device.py train planted.yaml --out run --device far

What it cannot show is a GPU's own arithmetic, streams and memory: tests marked `gpu` do.
"""

import sys
from collections.abc import Callable
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.accelerators import Accelerator
from lightning_fabric.strategies import SingleDeviceStrategy
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

import regact.training.device
from regact.cli.app import main
from regact.training import choose_device

FAR, NEAR = "far", torch.device("cpu")
# What may take tensors of both devices: they copy, or the CPU's tensors are indices.
_MIX = {"copy_", "_copy_from", "_to_copy", "index", "index_put", "index_put_", "_index_put_impl_"}
# Made of an empty tensor that grows, which one around another tensor cannot.
_GROWN = ("arange.default", "arange.start", "arange.start_step", "eye.default", "eye.m", "linspace.default")


class FarTensor(torch.Tensor):
    """A tensor whose values are those of `near`, on the CPU."""

    near: torch.Tensor

    @staticmethod
    def __new__(cls, near: torch.Tensor) -> "FarTensor":
        return torch.Tensor._make_wrapper_subclass(
            cls,
            near.size(),
            strides=near.stride(),
            storage_offset=near.storage_offset(),
            dtype=near.dtype,
            device=torch.device(FAR, 0),
        )

    def __init__(self, near: torch.Tensor) -> None:
        self.near = near

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        return compute(operation, *args, **(kwargs or {}))


def compute(operation: Any, *args: Any, **kwargs: Any) -> Any:
    """The operation's result from the CPU, far where it was asked for there or comes of far tensors."""
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
    far = [tensor for tensor in tensors if isinstance(tensor, FarTensor)]
    name = operation.overloadpacket.__name__
    # A number as a tensor goes with everything, on a GPU too.
    if far and name not in _MIX and any(t.dim() for t in tensors if not isinstance(t, FarTensor)):
        raise RuntimeError(f"{operation}: tensors on {FAR} and {NEAR}; all have to be on one device")
    asked = kwargs.get("device")
    to_far = bool(far) if asked is None else torch.device(asked).type == FAR
    if asked is not None:
        kwargs["device"] = NEAR
    near_args, near_kwargs = tree_map_only(FarTensor, lambda tensor: tensor.near, (args, kwargs))
    results = operation(*near_args, **near_kwargs)
    if name == "copy_":
        return args[0]
    if not to_far:
        return results
    itself = {id(tensor.near): tensor for tensor in far}  # an operation in place returns what it was given
    return tree_map_only(
        torch.Tensor, lambda near: itself[id(near)] if id(near) in itself else FarTensor(near), results
    )


class _Backend:
    """What torch asks of a device's module."""

    def is_initialized(self) -> bool:
        return True

    def is_available(self) -> bool:
        return True

    def _is_in_bad_fork(self) -> bool:
        return False

    def device_count(self) -> int:
        return 1

    def current_device(self) -> int:
        return 0

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]

    def manual_seed_all(self, seed: int) -> None:
        """Random numbers are the CPU's."""


class _FarAccelerator(Accelerator):
    """What Fabric asks of a device."""

    def setup_device(self, device: torch.device) -> None: ...

    def teardown(self) -> None: ...

    @staticmethod
    def parse_devices(devices: Any) -> Any:
        return devices

    @staticmethod
    def get_parallel_devices(devices: Any) -> Any:
        return [torch.device(FAR, 0)]

    @staticmethod
    def auto_device_count() -> int:
        return 1

    @staticmethod
    def is_available() -> bool:
        return True

    @staticmethod
    def name() -> str:
        return FAR


def open_device() -> list[torch.library.Library]:
    """Give torch the device, for good; it is there as long as what is returned."""
    _setup_privateuseone_for_python_backend(FAR, backend_module=_Backend())
    torch.__future__.set_swap_module_params_on_conversion(True)  # a module's parameters become far ones
    torch.inference_mode = torch.no_grad  # tensors around others know no inference mode
    torch.tensor = _made_near(torch.tensor)
    torch.Tensor.new_tensor = lambda like, values: torch.tensor(values, dtype=like.dtype, device=like.device)
    everything, grown = torch.library.Library("_", "IMPL"), torch.library.Library("aten", "IMPL")
    everything.fallback(compute, "PrivateUse1")
    for name in _GROWN:
        packet, overload = name.split(".")
        operation = getattr(getattr(torch.ops.aten, packet), overload)
        grown.impl(name.removesuffix(".default"), _bound(operation), "PrivateUse1")
    return [everything, grown]


def _bound(operation: Any) -> Callable[..., Any]:
    return lambda *args, **kwargs: compute(operation, *args, **kwargs)


def _made_near(tensor: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    return lambda values, *, device=None, **kwargs: tensor(values, **kwargs).to(device or NEAR)


def _choose_device(device: str = "auto") -> torch.device:
    return torch.device(FAR, 0) if device.split(":")[0] == FAR else choose_device(device)


def _open_fabric(*, accelerator: str, devices: Any, **kwargs: Any) -> Fabric:
    if accelerator != FAR:
        return Fabric(accelerator=accelerator, devices=devices, **kwargs)
    strategy = SingleDeviceStrategy(device=torch.device(FAR, 0), accelerator=_FarAccelerator())
    return Fabric(strategy=strategy, devices=1, **kwargs)


def run_command() -> None:
    """The command line of regact, `--device far` allowed."""
    opened = open_device()
    for name, module in list(sys.modules.items()):  # later ones import it from one of these
        if name.startswith("regact.") and hasattr(module, "choose_device"):
            module.choose_device = _choose_device
    regact.training.device.Fabric = _open_fabric
    main()
    del opened


if __name__ == "__main__":
    run_command()
