"""What to do when the memory of a device is full."""

from collections.abc import Callable
from functools import partial

import torch

from regact.errors import MemoryFullError


def is_memory_full(error: BaseException) -> bool:
    """Whether torch raised `error` because memory was full, that of a GPU or that of the machine."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)  # the CPU's has no class


def free_cached_memory(device: torch.device) -> None:
    """Hand memory that torch keeps for later use back to the device."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


def largest_that_fits(attempt: Callable[[int], object], most: int, device: torch.device) -> int:
    """The largest number up to `most` for which `attempt` does not fill the memory, by halving; 0 where none does."""
    fits, too_many = 0, most + 1
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        if _fits(partial(attempt, middle), device):
            fits = middle
        else:
            too_many = middle
    return fits


def in_parts(work: Callable[[int, int], object], n: int, device: torch.device, *, what: str, most: int) -> int:
    """Call `work(first, last)` on spans of up to `most` that cover 0 to `n`, on shorter ones once the memory is full.

    A call that fails for memory must leave nothing behind. Returns the longest span that may be begun with next time.

    Raises: MemoryFullError where not even one of the `n` fits; `what` says what was being done.
    """
    first = 0
    while first < n:
        last = min(first + most, n)
        if _fits(partial(work, first, last), device):
            first = last
        elif last - first > 1:
            most = (last - first) // 2
        else:
            raise MemoryFullError(
                what,
                f"the memory of {device} is full",
                "room for one window",
                "use one with more, or --device cpu",
            )
    return most


def _fits(work: Callable[[], object], device: torch.device) -> bool:
    """False where `work()` filled the memory; what it held is free again when this returns."""
    try:
        work()
    except RuntimeError as error:
        if not is_memory_full(error):
            raise
    else:
        return True
    free_cached_memory(device)  # not above, where the error still holds the frames that hold the tensors
    return False
