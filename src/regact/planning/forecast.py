"""Straight lines through what probes found: time and memory of a size that was not tried."""

from collections.abc import Callable, Sequence

from regact.planning.climb import Reading, Size


def straight_line(points: Sequence[tuple[float, float]], x: float) -> float:
    """The value at `x` of the line through the last two points; of one through the origin where it would fall.

    At the last point itself, its own value.
    """
    last_x, last_y = points[-1]
    if x == last_x:
        return last_y
    if len(points) > 1:
        first_x, first_y = points[-2]
        slope = (last_y - first_y) / (last_x - first_x)
        if slope > 0:
            return last_y + slope * (x - last_x)
    return last_y * x / last_x


def forecast_time(
    readings: Sequence[Reading], size: Size, of: Callable[[Reading], float] = lambda reading: reading.seconds
) -> float:
    """Seconds that a batch of this size takes: time follows multiply-accumulates."""
    return straight_line([(reading.size.macs, of(reading)) for reading in readings], size.macs)


def forecast_memory(readings: Sequence[Reading], size: Size, of: Callable[[Reading], int], fixed_bytes: int) -> int:
    """The most memory while a batch of this size is worked on; it follows the numbers that layers put out.

    `fixed_bytes` does not grow: what a single reading has beyond that is taken to grow in proportion.
    """
    points = [(reading.size.values, float(max(0, of(reading) - fixed_bytes))) for reading in readings]
    if len(readings) == 1 and readings[0].size == size:
        return of(readings[0])
    return int(min(fixed_bytes, of(readings[-1])) + straight_line(points, size.values))


def in_words(readings: Sequence[Reading], size: Size) -> str:
    """What was tried for a size."""
    last = readings[-1].size
    return f"measured at {last}" if last == size else f"extrapolated from {last} to {size}"
