"""From a small batch of short windows up to the size that is asked for, as far as time and memory allow."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from regact.errors import MemoryFullError
from regact.model import ModelSpec, count

_TINY_MACS = 1e9  # of one window, forward: a few tenths of a second on a slow core
_TRIES = 3  # a first one and two at least to take the median of


@dataclass(frozen=True)
class Size:
    """A batch: how many windows of which length, and what they make the network do.

    Attributes:
        windows, window_bp: The batch.
        macs: Multiply-accumulates of its forward pass, which time follows.
        values: Numbers that its layers put out, weights of attention included, which memory follows.
    """

    windows: int
    window_bp: int
    macs: float
    values: float

    @classmethod
    def of(cls, spec: ModelSpec, windows: int) -> "Size":
        """So many windows of a network."""
        cost = count(spec)
        values = sum(layer.channels * layer.positions + layer.attention_weights for layer in cost.layers)
        return cls(windows, spec.window_bp, float(windows * cost.macs), float(windows * values))

    def __str__(self) -> str:
        return f"{self.windows} window{'s' if self.windows > 1 else ''} of {self.window_bp:,} bp"


@dataclass(frozen=True)
class Reading:
    """What a batch of some size took: median time, time of the first one, most memory."""

    size: Size
    seconds: float
    cpu_seconds: float
    first: tuple[float, float]
    ram_bytes: int
    gpu_bytes: int | None

    @property
    def growing_bytes(self) -> int:
        """The memory that grows with the batch: the device's, where it has its own."""
        return self.ram_bytes if self.gpu_bytes is None else self.gpu_bytes


def climb(
    attempt: Callable[[Size, float], Reading | None],
    *,
    full: Size,
    smaller: Callable[[int, int], Size | None],
    granule_bp: int,
    seconds: float,
    free_bytes: int,
    fixed_bytes: int,
) -> tuple[Reading, ...]:
    """Readings in rising size; the last is of `full` unless that would take too long or too much memory.

    Args:
        attempt: Tries a size for about so many seconds; None where the memory of the device is full.
        full: The size that is asked for.
        smaller: The size of so many windows of a length, (window_bp, windows); None where the network takes none such.
        granule_bp: Windows are a multiple of this, and at least as long.
        seconds: That all readings may take, roughly.
        free_bytes: Memory that there is.
        fixed_bytes: Memory that does not grow with the batch: the weights and what belongs to them, the program.

    Raises: MemoryFullError where not even the smallest size fits.
    """
    ladder = list(_ladder(full, smaller, granule_bp))
    place = next((i for i, size in enumerate(ladder) if size.macs <= _TINY_MACS), len(ladder) - 1)
    readings: list[Reading] = []
    while reading := attempt(ladder[place], seconds / _TRIES):
        readings.append(reading)
        seconds -= _TRIES * reading.seconds
        with_room = [i for i in range(place) if _bytes_for(ladder[i], reading, fixed_bytes) <= free_bytes]
        in_time = [i for i in with_room if _seconds_for(ladder[i], reading) <= seconds]
        if not in_time and len(readings) == 1:
            in_time = with_room[-1:]  # a line needs two points, however long the second takes
        if not in_time:
            break
        place = in_time[0]
    if not readings:
        raise MemoryFullError("plan", f"the device has no room for {ladder[place]}", "that at least", "use another one")
    return tuple(readings)


def _seconds_for(size: Size, last: Reading) -> float:
    return _TRIES * last.seconds * size.macs / last.size.macs


def _bytes_for(size: Size, last: Reading, fixed_bytes: int) -> float:
    return fixed_bytes + max(0, last.growing_bytes - fixed_bytes) * size.values / last.size.values


def _ladder(full: Size, smaller: Callable[[int, int], Size | None], granule_bp: int) -> Iterator[Size]:
    """Sizes from `full` down: fewer windows, by halves, then shorter ones."""
    yield full
    windows, window_bp = full.windows, full.window_bp
    while windows > 1 or (window_bp % (2 * granule_bp) == 0 and window_bp >= 4 * granule_bp):
        windows, window_bp = (windows // 2, window_bp) if windows > 1 else (1, window_bp // 2)
        size = smaller(window_bp, windows)
        if size is None:
            return
        yield size
