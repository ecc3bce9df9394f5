"""What can go wrong with a user's data, files, settings or machine.

Wrong arguments of a function are `ValueError` or `TypeError`; everything here is about the world outside the code.
The command line prints such an error as one line (one line per problem where several were found) and exits with 1.
"""

from collections.abc import Sequence


class RegactError(Exception):
    """Something outside the code is wrong: where it is, what was found, what was needed, what to do.

    The message reads `where: found; needed ...; remedy`.
    """

    def __init__(self, where: object, found: str, needed: str = "", remedy: str = "") -> None:
        self.where, self.found, self.needed, self.remedy = str(where), found, needed, remedy
        parts = [f"{where}: {found}"]
        if needed:
            parts.append(f"needed {needed}")
        if remedy:
            parts.append(remedy)
        super().__init__("; ".join(parts))

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions are rebuilt from `args`, which holds the joined message only; worker processes send ours whole.
        return type(self), (self.where, self.found, self.needed, self.remedy)


class FormatError(RegactError):
    """A file cannot be read, is truncated, or is not of the format its name promises."""


class ContigError(RegactError):
    """Contig names or lengths of two files do not agree."""


class DataError(RegactError):
    """Values in the data cannot be used: inf, an empty split, a window longer than every contig."""


class StoreError(RegactError):
    """A dataset store is incomplete, of another schema version, or of another genome."""


class RunError(RegactError):
    """A run folder is incomplete, or does not fit what is asked of it."""


class TrainingError(RegactError):
    """Training cannot go on: the loss is not finite."""


class MemoryFullError(RegactError):
    """The device's memory is full, and what can be done in smaller parts was."""


class DeviceError(RegactError):
    """The asked-for device is not on this machine."""


class OutputExistsError(RegactError):
    """The output is there already and may not be overwritten."""


class DiskSpaceError(RegactError):
    """The output does not fit on the disk."""


class ProgramError(RegactError):
    """An external program is missing or failed."""


class TaskError(RegactError):
    """One of many independent tasks failed for a reason of its own; `where` names the task."""


class ConfigError(RegactError):
    """Settings or a table of the user's are wrong; holds every problem found, not only the first."""

    def __init__(self, where: object, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(where, "; ".join(self.problems))

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.where, self.problems)


class MachineError(ConfigError):
    """The machine is too small for what the settings ask of it; holds every shortage."""


class ShapeError(ValueError):
    """A tensor has another shape than the function's contract."""
