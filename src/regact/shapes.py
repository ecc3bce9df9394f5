"""The names of the axes and one check that a tensor has them.

Everywhere in regact: sequence `(batch, 4, position)`, bins `(batch, channel, bin)`, output `(batch, track, bin)`;
codes `(batch, position)` as uint8. In the store on disk alone, targets are `(window, bin, track)`.
"""

from typing import Protocol

from regact.errors import ShapeError


class HasShape(Protocol):
    """A numpy array or a torch tensor."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the axes."""
        ...


def check_shape(array: HasShape, axes: str, *, name: str = "tensor", **sizes: int) -> None:
    """Raise ShapeError unless `array` has the axes named in `axes` with the sizes given for some of them.

    `check_shape(x, "batch track bin", track=4229)` accepts (2, 4229, 1024) and refuses (2, 1024, 4229).
    """
    names = axes.split()
    found = tuple(array.shape)
    wanted = tuple(sizes.get(axis) for axis in names)
    if len(found) != len(names) or any(w not in (None, f) for w, f in zip(wanted, found, strict=True)):
        text = ", ".join(axis if size is None else f"{axis}={size}" for axis, size in zip(names, wanted, strict=True))
        raise ShapeError(f"{name} has shape {found}; needed ({text})")
